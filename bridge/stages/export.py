"""Export: what a delivery consists of: names, presets, "Dial it in", the report, what the manifest says.

Nothing is written to the project here; ``deliver`` does that, from the layout that this stage makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bridge.audio import AudioWriter, open_audio
from bridge.hashes import hash_file
from bridge.measure.loudness import Loudness
from bridge.naming import file_name, safe_name, unique_name
from bridge.protocols import Progress
from bridge.report import render_report
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, part_of
from bridge.stages.deliver import MANIFEST, Placed
from bridge.stages.exporting import run_exporters, song_to_export
from bridge.stages.findings import Findings, stem_title
from bridge.stages.manifest import Manifest
from bridge.stages.parity import with_twins
from bridge.stages.presetting import UsedChain, used_chains, write_presets
from bridge.stages.showing import report_data
from bridge.values import Asset, Facts, SampleFormat, StageResult, Tags, Value

REPORT = "Report.html"
LAYOUT = "layout"
STEM_FOLDERS = {
    roles.DRY: ("Stems", "dry"),
    roles.MIXED: ("Stems/Mixed", "mixed"),
    roles.SEPARATED: ("Stems/Separated", "separated"),
}


class Layout(Value):
    """Where each asset lies in the delivery, and what the manifest says of it all."""

    title: str
    placed: tuple[Placed, ...]
    manifest: Manifest
    notes: tuple[str, ...] = ()


def run(findings: Findings, inputs: Inputs, room: Room) -> Made:
    """Make the small files of the delivery and lay all of them out."""
    placing = _Placing(findings, inputs, room)
    placing.place_all()
    room.progress(0.1)
    chains = with_twins(
        used_chains(findings), inputs, room.config, room.folder / "parity", part_of(room.progress, 0.1, 0.3)
    )
    presets = write_presets(
        _take_title(findings),
        chains,
        {roles.label(asset): asset.path for asset in roles.of_kind(inputs, roles.STATE)},
        room.folder,
        tempo_bpm=findings.tempo_bpm,
        has_stems=bool(findings.stem_labels),
    )
    placing.add_files(presets, "preset")
    placing.add_exports(chains, part_of(room.progress, 0.3, 0.6))
    figures = main_figures(findings) | {"stem_files": placing.stem_files()}
    data = report_data(
        findings, inputs, chains, placing.sizes(), placing.notes, part_of(room.progress, 0.6, 0.95)
    )
    report = room.folder / REPORT
    report.write_text(render_report(data), encoding="utf-8")
    placing.add_files([report], "report")
    layout = Layout(
        title=safe_name(_take_title(findings)),
        placed=tuple(placing.placed),
        manifest=Manifest.of(findings, chains, _without_lines(figures), placing.notes),
    )
    path = room.folder / "layout.json"
    path.write_text(layout.model_dump_json(), encoding="utf-8")
    return Made(files=placing.files | {LAYOUT: path}, facts={"main_figures": figures})


STAGE = Stage(name="export", version=2, cost=0.02, run=run)


def load_layout(exported: StageResult) -> Layout:
    """The layout that the stage made."""
    return Layout.model_validate_json(exported.asset(LAYOUT).path.read_bytes())


class _Placing:
    """Gives every file its place and name in the delivery."""

    def __init__(self, findings: Findings, inputs: Inputs, room: Room) -> None:
        self.placed: list[Placed] = []
        self.files: dict[str, Path] = {}
        self.notes: list[str] = [*findings.left_out]
        self._dry: list[tuple[Asset, Placed]] = []
        self._findings = findings
        self._inputs = inputs
        self._room = room
        self._is_integer = self._wants_integers()

    def place_all(self) -> None:
        """Stems, mixed stems, masters; with ``keep_separated`` what the stems were made from, too."""
        self._place_stems(roles.DRY)
        self._place_stems(roles.MIXED)
        if self._findings.request.keep_separated and self._findings.separated:
            self._place_stems(roles.SEPARATED)
            self._place_decode()
        for asset in roles.of_kind(self._inputs, roles.MASTER):
            if self._findings.masters:
                state = self._master_state(asset)
                self._place(asset, "Master", self._name("Master", state), self._tags(f"Master ({state})"))

    def add_files(self, paths: list[Path], kind: str) -> None:
        """Files made here keep the path that they have below the stage's folder."""
        for path in paths:
            inside = path.relative_to(self._room.folder).as_posix()
            self.files[f"{kind}/{inside}"] = path
            self.placed.append(Placed(role=f"{kind}/{inside}", path=inside))

    def stem_files(self) -> list[Facts]:
        """Which file is which dry stem: what a session needs to lay them on tracks."""
        return [
            {
                "title": stem_title(roles.label(asset)),
                "role": str(roles.role_of(roles.label(asset))),
                "file": placed.path,
            }
            for asset, placed in self._dry
        ]

    def add_exports(self, chains: tuple[UsedChain, ...], progress: Progress) -> None:
        """What the exporters write; what they could not is noted."""
        title, folder = _take_title(self._findings), self._room.folder
        song = song_to_export(self._findings, title, self._dry, chains, folder)
        if song is None:
            return
        taken = [*(placed.path for placed in self.placed), REPORT, MANIFEST]
        names = self._findings.export.formats
        for exported in run_exporters(names, song, folder / "exports", taken, progress):
            for path, file in exported.files.items():
                role = f"export/{exported.name}/{path}"
                self.files[role] = file
                self.placed.append(Placed(role=role, path=path))
            if exported.failure:
                self.notes.append(
                    f"Nothing was written by the exporter '{exported.name}': {exported.failure}"
                )

    def sizes(self) -> dict[str, int]:
        """Bytes of every placed file, by its path in the delivery."""
        return {placed.path: self._path_of(placed.role).stat().st_size for placed in self.placed}

    def _path_of(self, role: str) -> Path:
        return self.files.get(role) or self._inputs.path(role)

    def _place_stems(self, kind: str) -> None:
        folder, state = STEM_FOLDERS[kind]
        if kind == roles.DRY and not self._findings.recipe.has("restore"):
            state = "separated"
        for asset in roles.of_kind(self._inputs, kind):
            title = stem_title(roles.label(asset))
            delivered = self._as_integers(asset) if self._is_integer else asset
            placed = self._place(
                delivered, folder, self._name(title, state), self._tags(f"{title} ({state})")
            )
            if kind == roles.DRY:
                self._dry.append((delivered.evolve(role=asset.role), placed))

    def _place_decode(self) -> None:
        """What the stems line up with, where the source file itself is not that to the sample."""
        info = self._findings.source_info
        if info.is_lossy or info.channels > 2 or self._findings.song.facts["is_stem_set"]:
            asset = self._inputs.asset(roles.SOURCE)
            self._place(asset, STEM_FOLDERS[roles.SEPARATED][0], self._name("Source", "decoded"), None)

    def _place(self, asset: Asset, folder: str, name: str, tags: Tags | None) -> Placed:
        taken = [
            placed.path.rpartition("/")[2] for placed in self.placed if placed.path.startswith(f"{folder}/")
        ]
        self.placed.append(Placed(role=asset.role, path=f"{folder}/{unique_name(name, taken)}", tags=tags))
        return self.placed[-1]

    def _name(self, stem: str, state: str) -> str:
        found = self._findings
        template = found.delivery.name
        return file_name(
            template,
            title=found.track.title if "{take}" in template else _take_title(found),
            artist=found.track.tags.artist,
            take=found.track.take,
            stem=stem,
            state=state,
            tempo_bpm=None if found.tempo_bpm is None else round(found.tempo_bpm),
            key=found.key_name,
        )

    def _master_state(self, asset: Asset) -> str:
        name = roles.label(asset)
        facts = self._findings.masters.facts["masters"][name] if self._findings.masters else {}
        return f"{name} {facts['loudness']['integrated_lufs']:.0f} LUFS"

    def _tags(self, part: str) -> Tags:
        return self._findings.track.tags.evolve(title=f"{_take_title(self._findings)} - {part}")

    def _wants_integers(self) -> bool:
        """24-bit stems only where nothing is lost by it; where not, the notes say why."""
        if self._findings.delivery.stem_format is not SampleFormat.INT24 or self._findings.dry is None:
            return False
        why = self._why_float()
        if why:
            self.notes.append(f"Stems are 32-bit float, not 24-bit: {why}.")
        return not why

    def _why_float(self) -> str:
        info = self._findings.source_info
        if not (info.is_integer_pcm and info.bits <= 24) or self._findings.song.facts["is_stem_set"]:
            return "the source is not integer PCM of up to 24 bits"
        stems = [asset for kind in STEM_FOLDERS for asset in roles.of_kind(self._inputs, kind)]
        over = [stem_title(roles.label(asset)) for asset in stems if _peak(asset.path) > 1]
        return f"{', '.join(dict.fromkeys(over))} would pass 0 dBFS" if over else ""

    def _as_integers(self, asset: Asset) -> Asset:
        path = self._room.folder / f"{asset.role.replace('/', ' ')}.wav"
        with open_audio(asset.path) as reader:
            rate_hz, channels = reader.info.rate_hz, reader.info.channels
            with AudioWriter(
                path, rate_hz=rate_hz, channels=channels, sample_format=SampleFormat.INT24
            ) as out:
                for block in reader.blocks():
                    out.write(block)
        role = f"int24/{asset.role}"
        self.files[role] = path
        return Asset(path=path, sha256=hash_file(path), role=role)


def _peak(path: Path) -> float:
    with open_audio(path) as reader:
        return max((float(np.max(np.abs(block))) for block in reader.blocks()), default=0.0)


def _without_lines(figures: Facts) -> Facts:
    return {name: value for name, value in figures.items() if name != "lines"}


def _take_title(findings: Findings) -> str:
    """A take has its number everywhere: two takes are two songs, and their files meet in one Live Set."""
    take = f" ({findings.track.take})" if findings.track.take else ""
    return f"{findings.track.title}{take}"


def main_figures(findings: Findings) -> Facts:
    """What a producer wants to know first, as numbers and as lines of text."""
    masters = dict(_masters(findings))
    figures: Facts = {
        "title": findings.track.title,
        "duration_s": round(findings.song.facts["frames"] / findings.song.facts["rate_hz"], 3),
        "rate_hz": findings.song.facts["rate_hz"],
        "tempo_bpm": findings.tempo_bpm,
        "key": findings.key_name,
        "source": _source(findings),
        "stems": list(findings.stem_labels),
        "is_preview": findings.is_preview,
        "null_dbfs": findings.certificate["null"]["peak_dbfs"] if findings.certificate else None,
        "masters": masters,
        "qa_passed": findings.attempts[-1].passed,
    }
    return figures | {"lines": list(_lines(findings, masters))}


def _source(findings: Findings) -> Facts:
    loudness = Loudness.model_validate(findings.analysis.facts["loudness"])
    return {
        "integrated_lufs": round(loudness.integrated_lufs, 2),
        "true_peak_dbtp": round(loudness.true_peak_dbtp, 2),
    }


def _masters(findings: Findings) -> Iterator[tuple[str, Facts]]:
    if findings.masters is None:
        return
    for name, second in findings.checked.facts["masters"].items():
        made = findings.masters.facts["masters"][name]
        yield (
            name,
            {
                "integrated_lufs": round(second["loudness_lufs"], 2),
                "true_peak_dbtp": round(second["true_peak_dbtp"], 2),
                "target_lufs": made["target"]["integrated_lufs"],
                "is_reached": made["is_reached"],
                "why": made["why"],
            },
        )


def _lines(findings: Findings, masters: Facts) -> Iterator[str]:
    for name, master in masters.items():
        found = f"{master['integrated_lufs']:.1f} LUFS, {master['true_peak_dbtp']:.1f} dBTP"
        yield f"Master {name}: {found}" + (f". {master['why']}" if master["why"] else "")
    yield from findings.left_out
    if findings.stem_labels:
        stems = ", ".join(stem_title(label) for label in findings.stem_labels)
        preview = (
            " (a preview by the light separator: Demucs separates better)" if findings.is_preview else ""
        )
        yield f"Stems: {stems}{preview}"
