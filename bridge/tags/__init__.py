"""What a song says about itself: tags and cover, read from every format, written into delivered WAVs.

Suno writes ``made with suno; created=...; id=UUID`` as the comment of its downloads, the song's page as
``WOAS``, a cover, and a signed C2PA manifest. The ids and addresses are kept in every delivered file. The
manifest is not copied: it vouches for the bytes of the download alone; that there was one is told.
"""

from bridge.tags.cover import COVER_BYTES, COVER_PIXELS, Cover
from bridge.tags.read import FoundTags, read_tags
from bridge.tags.write import write_tags

__all__ = ["COVER_BYTES", "COVER_PIXELS", "Cover", "FoundTags", "read_tags", "write_tags"]
