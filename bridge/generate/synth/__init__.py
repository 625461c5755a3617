"""The composer's instruments: a note in, a wave out."""
