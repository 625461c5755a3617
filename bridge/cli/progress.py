"""The progress of a job in the terminal: stage, share, time left; plain lines where there is no terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from bridge import events
from bridge.cli.console import errors_console, shown, tell_error
from bridge.events import STAGE_WORDS


@contextlib.contextmanager
def progress_of(name: str) -> Iterator[Callable[[events.Event], None]]:
    """Shows what happens to a job while the context lasts; gives the function that takes its events."""
    if errors_console().is_terminal:
        with _bar(name) as show:
            yield show
    else:
        yield _lines(name)


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Callable[[events.Event], None]]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.fields[song]}", markup=False),
        TextColumn("[cyan]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=errors_console(), transient=True) as progress:
        room = min(40, max(12, progress.console.width - 50))  # stage, bar, share and time left need the rest
        task = progress.add_task("Starting", total=1.0, left="", song=_short(shown(name), room))

        def show(event: events.Event) -> None:
            if isinstance(event, events.JobProgress):
                words = STAGE_WORDS.get(event.stage, event.stage)
                progress.update(
                    task, completed=event.share, description=words, left=left_words(event.remaining_s)
                )
            elif isinstance(event, events.StageStarted):
                progress.update(task, description=STAGE_WORDS.get(event.stage, event.stage))
            elif isinstance(event, events.QaRetryStarted):
                reasons = shown("; ".join(event.reasons))
                progress.console.print(f"Once more, corrected: {reasons}", markup=False, highlight=False)

        yield show


def _lines(name: str) -> Callable[[events.Event], None]:
    from rich.markup import escape

    def show(event: events.Event) -> None:
        if isinstance(event, events.StageDone):
            words = STAGE_WORDS.get(event.stage, event.stage)
            how = "finished earlier" if event.was_reused else f"{event.seconds:.1f} s"
            tell_error(f"{escape(shown(name))}: {words} - {how}")

    return show


def left_words(seconds: float | None) -> str:
    """Time left in words: "12 s left", "3 min left"; nothing while it is not known."""
    if seconds is None:
        return ""
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
