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
        found = self.likeness
        louder = "louder" if found.level_db >= 0 else "quieter"
        is_in_phase = found.residual_db < OUT_OF_PHASE_DB
        return (
            f"{abs(found.level_db):.1f} dB {louder}, movement within {found.movement_db:.1f} dB, tone within "
            f"{found.tone_db:.1f} dB, "
            + (f"difference {found.residual_db:.0f} dB" if is_in_phase else "another phase")
        )


def twin_of(effect: Facts) -> Twin | None:
    """The twin in an effect's report; None where none was measured."""
    return Twin.model_validate(effect[TWIN]) if TWIN in effect else None
