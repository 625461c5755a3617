"""The folder door: watches export folders and turns each whole song into a job."""

from watcher.frontend import WatchFrontend

__all__ = ["WatchFrontend"]
