"""The page itself: data in, one HTML file out that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bridge.report import compare, verdict, view, words
from bridge.report.colours import colour_rules, role_class
from bridge.report.data import ReportData
from bridge.report.sheet import chord_sheet
from bridge.report.verdict import shortfall_lu


def render_report(data: ReportData) -> str:
    """The report as HTML: no network, no other file, no outside script, style or font.

    All text is escaped, and a content security policy lets only the page's own script run, by its hash.
    Sections without data are left out. The result is a function of ``data`` alone.
    """
    script = _asset("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            data=data,
            verdict=verdict.verdict(data),
            comparisons=compare.comparisons(data),
            sheet=chord_sheet(data),
            view=view,
            style=Markup(_style()),
            script=Markup(script),
            script_hash=_hash(script),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bridge.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "signed": words.signed,
        "with_unit": words.with_unit,
        "hertz": words.hertz,
        "clock": words.clock,
        "lasting": words.lasting,
        "size": words.size,
        "percent": words.percent,
        "true_minus": words.true_minus,
        "role_class": role_class,
        "shortfall_lu": shortfall_lu,
    }
    environment.tests["silent"] = words.is_silent
    environment.globals["counted"] = words.counted
    return environment


@cache
def _asset(name: str) -> str:
    return files("bridge.report").joinpath("page", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    """The style sheet with the computed colours of roles and masters for both schemes."""
    dark, light = colour_rules(0.77, 0.125), colour_rules(0.56, 0.14)
    return (
        f"{_asset('report.css')}{dark}@media (prefers-color-scheme:light){{{light}}}@media print{{{light}}}"
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
