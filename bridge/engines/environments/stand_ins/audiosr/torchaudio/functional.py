"""See ``torchaudio``."""

import julius


def resample(waveform, orig_freq, new_freq, lowpass_filter_width=24, rolloff=0.945, **_named):
    """Audio of any leading shape at another rate."""
    return julius.resample_frac(waveform, int(orig_freq), int(new_freq), lowpass_filter_width, rolloff)
