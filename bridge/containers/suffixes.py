"""Names that audio files end with; what is in them is told by their bytes."""

PCM_SUFFIXES = frozenset({".wav", ".wave", ".rf64", ".bw64", ".aif", ".aiff", ".aifc"})
CODED_SUFFIXES = frozenset({".flac", ".mp3", ".ogg", ".oga", ".m4a", ".mp4", ".aac", ".opus", ".webm"})
AUDIO_SUFFIXES = PCM_SUFFIXES | CODED_SUFFIXES
