"""The transcriber that is built in: one melody in a bass or a voice, the hits of drums."""

from __future__ import annotations

from pathlib import Path

from bridge.audio import probe
from bridge.errors import AudioError, EngineError
from bridge.measure.drumhits import hits_of_drums
from bridge.measure.notes import notes_of_melody
from bridge.music import Note
from bridge.protocols import Progress
from bridge.values import Role


class NativeTranscriber:
    """Hears one note at a time in bass and lead vocals, and drums of General MIDI."""

    name = "native"
    version = "1"
    roles: tuple[Role, ...] = (Role.VOCALS, Role.DRUMS, Role.BASS)

    def transcribe(self, stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
        """The notes of ``stem`` in order of their start; EngineError where it cannot be read."""
        try:
            end_s = probe(stem).duration_s
            notes = _heard(stem, role, progress)
        except AudioError as cause:
            raise EngineError(f"{stem.name} could not be transcribed: {cause}") from cause
        return tuple(note.evolve(end_s=min(note.end_s, end_s)) for note in notes)


def _heard(stem: Path, role: Role, progress: Progress) -> tuple[Note, ...]:
    if role is Role.DRUMS:
        return hits_of_drums(stem, progress)
    return notes_of_melody(stem, role, progress)
