"""Stands in for progressbar, which is not published as a wheel: AudioSR shows downloads with it."""


class ProgressBar:
    """Shows nothing."""

    def __init__(self, *_arguments, **_named):
        self.finished = False

    def start(self):
        """Begin."""
        return self

    def update(self, *_arguments):
        """Go on."""

    def finish(self):
        """End."""
        self.finished = True
