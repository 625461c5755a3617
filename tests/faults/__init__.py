"""Processes killed at every moment: what is left, and what the same command makes of it."""
