"""The Live door: OSC messages, the Max for Live device and what is written for Live."""
