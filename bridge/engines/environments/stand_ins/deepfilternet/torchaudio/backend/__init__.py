"""See ``torchaudio``."""
