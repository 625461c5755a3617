"""An effect and the preset that stands for it in a plug-in: how near the one comes to the other."""

from __future__ import annotations

from bridge.measure.likeness import Likeness
from bridge.values import Facts, Value

OUT_OF_PHASE_DB = -6.0
"""A difference above that, of sounds with one tone and one movement, is a matter of phase."""
TWIN = "twin"
"""In an effect's report: the plug-in of its preset against the effect."""


class Twin(Value):
    """A plug-in with the written preset, against our effect, both with the same input."""

    plugin: str
    likeness: Likeness

    @property
    def words(self) -> str:
        """Such as "0.8 dB louder, movement within 0.3 dB, tone within 0.1 dB, difference -31 dB"."""
        found, level_db = self.likeness, round(self.likeness.level_db, 1)
        loud = f"{abs(level_db):.1f} dB {'louder' if level_db > 0 else 'quieter'}" if level_db else "as loud"
        rest = f"difference {found.residual_db:.0f} dB" if self._is_in_phase else "another phase"
        return (
            f"{loud}, movement within {found.movement_db:.1f} dB, tone within {found.tone_db:.1f} dB, {rest}"
        )

    @property
    def _is_in_phase(self) -> bool:
        return self.likeness.residual_db < OUT_OF_PHASE_DB


def twin_of(effect: Facts) -> Twin | None:
    """The twin in an effect's report; None where none was measured."""
    return Twin.model_validate(effect[TWIN]) if TWIN in effect else None
