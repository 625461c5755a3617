"""The processors: block by block, the same result for any block size."""

from bridge.dsp.clicks import ClickProcessor, ClickReport, repair_clicks
from bridge.dsp.dynamics import CompressorProcessor, DeEsserProcessor
from bridge.dsp.eq import EqProcessor, eq_response_db
from bridge.dsp.extend import ExtendProcessor, ExtendReport, extend_bandwidth
from bridge.dsp.gain import GainProcessor
from bridge.dsp.gate import GateProcessor
from bridge.dsp.hiss import (
    HissMeter,
    HissProcessor,
    HissProfile,
    HissReport,
    estimate_hiss,
    reduce_hiss,
)
from bridge.dsp.limiter import LimiterProcessor, LimitReport, limit_file
from bridge.dsp.multiband import MultibandProcessor
from bridge.dsp.offset import Offset, OffsetKind, OffsetMeter, OffsetProcessor, remove_offset
from bridge.dsp.processor import Figures, Processor
from bridge.dsp.rack import EffectReport, Rack, RackReport, build, run, run_file
from bridge.dsp.saturate import SaturatorProcessor
from bridge.dsp.stereo import StereoWidthProcessor
from bridge.dsp.stream import aligned, process_audio, process_file
from bridge.dsp.transients import TransientShaperProcessor

__all__ = [
    "ClickProcessor",
    "ClickReport",
    "CompressorProcessor",
    "DeEsserProcessor",
    "EffectReport",
    "EqProcessor",
    "ExtendProcessor",
    "ExtendReport",
    "Figures",
    "GainProcessor",
    "GateProcessor",
    "HissMeter",
    "HissProcessor",
    "HissProfile",
    "HissReport",
    "LimitReport",
    "LimiterProcessor",
    "MultibandProcessor",
    "Offset",
    "OffsetKind",
    "OffsetMeter",
    "OffsetProcessor",
    "Processor",
    "Rack",
    "RackReport",
    "SaturatorProcessor",
    "StereoWidthProcessor",
    "TransientShaperProcessor",
    "aligned",
    "build",
    "eq_response_db",
    "estimate_hiss",
    "extend_bandwidth",
    "limit_file",
    "process_audio",
    "process_file",
    "reduce_hiss",
    "remove_offset",
    "repair_clicks",
    "run",
    "run_file",
]
