"""A child process that hosts VST3 plug-ins: JUCE wants one loading thread, and plug-ins may end their host.

    python vst3_host.py JOBS.json RESULTS.json

A job is {plugin: path, preset: path or "", values: {title: number}, input: path.npy, output: path.npy}. In a
fresh instance the preset is loaded or the values are set, and the input is processed. The result is
{state: hex of its .vstpreset afterwards, version, parameters: {title: [low, high, default]}}, the parameters
for a job that does neither alone, since asking takes long.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard

RATE_HZ = 48_000


def main(jobs: Path, results: Path) -> None:
    results.write_text(json.dumps([run(job) for job in json.loads(jobs.read_text())]))


def run(job: dict[str, Any]) -> dict[str, Any]:
    plugin = pedalboard.load_plugin(job["plugin"])
    is_plain = not job["preset"] and not job["values"]
    parameters = ranges(plugin) if is_plain else {}
    if job["preset"]:
        plugin.load_preset(job["preset"])
    if job["values"]:
        names = {parameter.name: name for name, parameter in plugin.parameters.items()}
        for title, value in job["values"].items():
            setattr(plugin, names[title], value)
    np.save(job["output"], plugin.process(np.load(job["input"]), RATE_HZ))
    # the state is only current after audio went through
    return {"state": bytes(plugin.preset_data).hex(), "version": plugin.version, "parameters": parameters}


def ranges(plugin: Any) -> dict[str, list[float]]:
    found = plugin.parameters.items()
    return {parameter.name: [*parameter.range[:2], getattr(plugin, name)] for name, parameter in found}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
