"""Three compressors on three bands that sum flat."""

from __future__ import annotations

from bridge.dsp.dynamics import GainComputer
from bridge.dsp.envelopes import gain_of
from bridge.dsp.filters import Sections, SosFilter, cascade, crossover
from bridge.dsp.processor import HIGHEST_SHARE, Figures, Processor, Wide, amplitude, linked_peak
from presets.chain import Multiband, MultibandBand

_NAMES = ("low", "mid", "high")


class MultibandProcessor(Processor):
    """Linkwitz-Riley bands of 4th order, each with a linked compressor. No latency.

    The low band passes the upper crossover's all-pass, so that the three are in phase and sum to an
    all-pass of the input: flat in magnitude. A crossover above 0.45 of the rate is left out with the band
    above it.
    """

    def __init__(self, settings: Multiband, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        sections = band_sections(settings.low_crossover_hz, settings.high_crossover_hz, rate_hz)
        bands = (settings.low, settings.mid, settings.high)
        self._bands = [
            _Band(band, split, rate_hz, channels) for band, split in zip(bands, sections, strict=False)
        ]

    def figures(self) -> Figures:
        """Largest and mean gain reduction of each band in dB."""
        return {
            f"{name}_{key}": number
            for name, band in zip(_NAMES, self._bands, strict=False)
            for key, number in band.computer.meter.figures().items()
        }

    def _work(self, x: Wide) -> Wide:
        made = self._bands[0](x)
        for band in self._bands[1:]:
            made += band(x)
        return made

    def _is_at_rest(self) -> bool:
        return all(band.is_at_rest for band in self._bands)


class _Band:
    """One band: its filters and its compressor."""

    def __init__(self, settings: MultibandBand, split: Sections, rate_hz: int, channels: int) -> None:
        self._filter = SosFilter(split, channels)
        self._makeup = amplitude(settings.makeup_db)
        self.computer = GainComputer(
            threshold_db=settings.threshold_db,
            ratio=settings.ratio,
            knee_db=settings.knee_db,
            attack_ms=settings.attack_ms,
            release_ms=settings.release_ms,
            rate_hz=rate_hz,
        )

    def __call__(self, x: Wide) -> Wide:
        band = self._filter(x)
        gain = gain_of(self.computer(linked_peak(band)))
        gain *= self._makeup
        band *= gain
        return band

    @property
    def is_at_rest(self) -> bool:
        return self._filter.is_at_rest and self.computer.is_at_rest


def band_sections(low_crossover_hz: float, high_crossover_hz: float, rate_hz: int) -> tuple[Sections, ...]:
    """The filters of the low, mid and high band; low and the rest where the upper crossover does not fit."""
    low, rest, _ = crossover(low_crossover_hz, rate_hz)
    if high_crossover_hz > HIGHEST_SHARE * rate_hz:
        return low, rest
    mid, high, together = crossover(high_crossover_hz, rate_hz)
    return cascade(low, together), cascade(rest, mid), cascade(rest, high)
