"""What fault trials count: four ways of going wrong, all of which have to stay at 0."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Wrongs:
    """What went wrong, each with the words that tell it."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    wrong_states: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """All of them."""
        kinds = {"lost": self.lost, "doubled": self.doubled, "half": self.half, "wrong": self.wrong_states}
        return [f"{kind}: {words}" for kind, found in kinds.items() for words in found]

    def __str__(self) -> str:
        return (
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.half)} half, "
            f"{len(self.wrong_states)} wrong states"
        )
