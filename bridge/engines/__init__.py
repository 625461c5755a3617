"""Separation and enhancement engines behind one-verb protocols."""
