"""Live Sets as Live 11 and 12 write them, as far as is known, with the tracks that a test wants."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

FIRST_FREE_ID = 500

_CLIP = """<AudioClip Id="0" Time="16"><LomId Value="0" /><CurrentStart Value="16" /><CurrentEnd Value="24" />
<Loop><LoopStart Value="1" /><LoopEnd Value="9" /><StartRelative Value="0" /><LoopOn Value="true" />
<OutMarker Value="9" /><HiddenLoopStart Value="0" /><HiddenLoopEnd Value="9" /></Loop>
<Name Value="old" /><Annotation Value="" /><Color Value="5" />
<Envelopes><Envelopes><ClipEnvelope Id="0"><EnvelopeTarget><PointeeId Value="{volume}" /></EnvelopeTarget>
</ClipEnvelope></Envelopes></Envelopes>
<GrooveSettings><GrooveId Value="4" /></GrooveSettings><Disabled Value="true" /><IsWarped Value="true" />
<SampleRef><FileRef><RelativePathType Value="3" /><RelativePath Value="Samples/old.wav" />
<Path Value="/music/old.wav" /><Type Value="2" /><LivePackName Value="Core Library" />
<LivePackId Value="www.ableton.com/0" />
<OriginalFileSize Value="77" /><OriginalCrc Value="78" /></FileRef>
<LastModDate Value="79" /><SourceContext><SourceContext Id="0" /></SourceContext><SampleUsageHint Value="0" />
<DefaultDuration Value="80" /><DefaultSampleRate Value="44100" /></SampleRef>
<Onsets><UserOnsets /><HasUserOnsets Value="false" /></Onsets>
<PitchCoarse Value="2" /><PitchFine Value="3" /><SampleVolume Value="0.5" />
<WarpMarkers><WarpMarker Id="0" SecTime="0" BeatTime="0" /><WarpMarker Id="1" SecTime="4" BeatTime="9" />
<WarpMarker Id="2" SecTime="5" BeatTime="9.1" /></WarpMarkers><SavedWarpMarkersForStretched />
<IsSongTempoLeader Value="true" /></AudioClip>"""

_TRACK = """<AudioTrack Id="{id}"><LomId Value="0" />
<Name><EffectiveName Value="{shown}" /><UserName Value="{name}" /><Annotation Value="" /></Name>
<Color Value="23" />
<AutomationEnvelopes><Envelopes><AutomationEnvelope Id="0"><EnvelopeTarget><PointeeId Value="{volume}" />
</EnvelopeTarget><Automation><Events><FloatEvent Id="0" Time="-63072000" Value="1" /></Events></Automation>
</AutomationEnvelope></Envelopes></AutomationEnvelopes>
<TrackGroupId Value="{group}" /><TakeLanes><TakeLanes><TakeLane Id="0" /></TakeLanes></TakeLanes>
<Freeze Value="{freeze}" />
<DeviceChain><Mixer><Volume><Manual Value="1" /><AutomationTarget Id="{volume}"><LockEnvelope Value="0" />
</AutomationTarget><ModulationTarget Id="{modulation}"><LockEnvelope Value="0" /></ModulationTarget></Volume>
</Mixer>
<MainSequencer><ClipSlotList><ClipSlot Id="0"><LomId Value="0" /><ClipSlot><Value>
<AudioClip Id="0" Time="0" /></Value></ClipSlot><HasStop Value="true" /></ClipSlot></ClipSlotList>
<Sample><ArrangerAutomation><Events>{clips}</Events></ArrangerAutomation></Sample>
<VolumeModulationTarget Id="{sequencer}"><LockEnvelope Value="0" /></VolumeModulationTarget>
<Pointee Id="{pointee}" /></MainSequencer></DeviceChain></AudioTrack>"""

_SET = """<?xml version="1.0" encoding="UTF-8"?>
<Ableton MajorVersion="5" MinorVersion="{version}" SchemaChangeCount="3"
Creator="Ableton Live {version}" Revision="x">
<LiveSet><NextPointeeId Value="{free}" /><Tracks>{tracks}<MidiTrack Id="90"><Name>
<EffectiveName Value="Keys" /><UserName Value="" /></Name></MidiTrack></Tracks>
<{main}><AutomationEnvelopes><Envelopes>
<AutomationEnvelope Id="0"><EnvelopeTarget><PointeeId Value="10" /></EnvelopeTarget><Automation><Events>
<EnumEvent Id="0" Time="-63072000" Value="201" /></Events></Automation></AutomationEnvelope>
<AutomationEnvelope Id="1"><EnvelopeTarget><PointeeId Value="8" /></EnvelopeTarget><Automation><Events>
<FloatEvent Id="0" Time="-63072000" Value="120" /><FloatEvent Id="1" Time="8" Value="90" /></Events>
</Automation></AutomationEnvelope></Envelopes></AutomationEnvelopes>
<DeviceChain><Mixer><Tempo><Manual Value="120" /><AutomationTarget Id="8"><LockEnvelope Value="0" />
</AutomationTarget></Tempo><TimeSignature><Manual Value="201" />
<AutomationTarget Id="10"><LockEnvelope Value="0" /></AutomationTarget></TimeSignature>
</Mixer></DeviceChain></{main}>
<Locators><Locators><Locator Id="0"><Name Value="old" /></Locator></Locators></Locators></LiveSet></Ableton>
"""


def audio_track(number: int, name: str, *, clips: int = 1, is_frozen: bool = False, group: int = -1) -> str:
    """An audio track with so many clips in the arrangement; "" leaves it Live's own name."""
    ids = {key: 100 + 10 * number + place for place, key in enumerate(_IDS)}
    return _TRACK.format(
        id=number,
        shown=name or f"{number}-Audio",
        name=name,
        freeze=str(is_frozen).lower(),
        group=group,
        clips="".join(_CLIP.format(volume=ids["volume"]) for _ in range(clips)),
        **ids,
    )


_IDS = ("volume", "modulation", "sequencer", "pointee")


def write_set(
    path: Path, tracks: Iterable[str], *, version: str = "12.1_12117", is_gzipped: bool = True
) -> Path:
    """A set of those tracks and a MIDI track, as Live 12 or, by its version, 11 saves it."""
    main = "MasterTrack" if version.startswith("11") else "MainTrack"
    text = _SET.format(tracks="".join(tracks), version=version, main=main, free=FIRST_FREE_ID).encode()
    path.write_bytes(gzip.compress(text) if is_gzipped else text)
    return path
