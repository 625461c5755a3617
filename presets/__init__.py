"""What a sound should be: chains, loudness targets and preset files."""
