"""The job that a song in a watched folder asks for."""

from __future__ import annotations

from pathlib import Path

from bridge.config import Config, WatchedFolder
from bridge.service.places import place_in
from bridge.values import JobOrigin, JobRequest


def request_for(source: Path, watched: WatchedFolder, config: Config) -> JobRequest:
    """What the place of a song (or of a folder of its stems) says, as a request."""
    place = place_in(source, watched, watched.folder, config)
    return JobRequest(
        source=source,
        recipe=place.recipe,
        destination=place.destination,
        targets=place.targets(place.recipe, config),
        origin=JobOrigin.FOLDER,
    )
