"""Plain gain."""

from __future__ import annotations

from bridge.dsp.processor import Processor, Wide, amplitude
from presets.chain import Gain


class GainProcessor(Processor):
    """Multiplies by a factor. No latency."""

    def __init__(self, settings: Gain, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._factor = amplitude(settings.gain_db)

    def _work(self, x: Wide) -> Wide:
        x *= self._factor
        return x

    def _is_at_rest(self) -> bool:
        return True
