"""A zip or a folder of stems, taken as the one song that it is.

Suno exports up to twelve stems of a song (or two: vocals and instrumental) as ``Title Stems.zip`` with
``0 Lead Vocals.wav``, ``1 Drums.wav`` ..., or one by one as ``Title (Vocals).mp3``. Their sum is the song.

Rules
- Two audio files or more whose names are stems of one title make a set. A file with the song's own name
  beside them is the full mix; it is left out, as is an "Instrumental" beside the instruments that it consists
  of, and the lossy twin of a stem that is there as WAV too.
- All stems have one sample rate. Stems may end up to a second before the longest: they are taken as silent
  from there on. Greater differences are refused.
- An archive may hold 8 GB unpacked, at a ratio of 100 to 1 as a whole (silent stems pack well), and no paths
  that lead out of it. Its names never become paths: files are written under the names of their stems.
"""

from bridge.stemset.extract import MAX_DIFFERENCE_S, extract
from bridge.stemset.find import StemFile, StemSet, find_stem_set
from bridge.stemset.names import role_of
from bridge.stemset.source import expect_source

__all__ = ["MAX_DIFFERENCE_S", "StemFile", "StemSet", "expect_source", "extract", "find_stem_set", "role_of"]
