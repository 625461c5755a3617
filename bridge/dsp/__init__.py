"""The processors: block by block, the same result for any block size."""
