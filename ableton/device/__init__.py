"""The Max for Live device: what its patcher is made of, how it is built, read, checked and installed."""
