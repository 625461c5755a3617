"""The library of chains: shipped ones by role and style, the user's own over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from presets.chain import Chain
from presets.errors import PresetError
from presets.folders import is_hidden
from presets.resources import shipped_names, shipped_text
from presets.styles import NEUTRAL, styles
from presets.values import PresetValue, did_you_mean, parse_value, read_toml

MASTER = "master"
"""The role of the whole mix."""
_SHIPPED_ROLES = (
    "vocals", "backing_vocals", "drums", "bass", "other", "guitar", "piano", "keyboard", "percussion",
    "strings", "synth", "brass", "woodwinds", "fx", MASTER,
)  # fmt: skip


class Library(PresetValue):
    """Chains by role and style.

    ``user_folder`` holds the user's own as ``<role>/<style>.toml``; it may be missing, and it may add roles
    and styles. A chain is looked for in this order: the user's of that style, the shipped of that style, the
    user's ``neutral`` of the role, the shipped ``neutral``.

    >>> Library().chain("drums", "rock").name
    'Rock drums'
    >>> Library().chain("brass", "rock").style
    'neutral'
    """

    user_folder: Path | None = None

    def roles(self) -> tuple[str, ...]:
        """The roles that have chains."""
        folders = self._user_names(self.user_folder, is_folder=True)
        return tuple(dict.fromkeys((*_SHIPPED_ROLES, *folders)))

    def styles(self, role: str) -> tuple[str, ...]:
        """The styles that ``role`` has a chain of its own for, ``neutral`` first."""
        self._expect_role(role)
        own = self._user_names(self.user_folder / role) if self.user_folder else []
        found = {*own, *_shipped_styles(role)}
        return tuple(sorted(found, key=lambda style: (style != NEUTRAL, style)))

    def chain(self, role: str, style: str = NEUTRAL) -> Chain:
        """The chain for ``role`` in ``style``, or the role's ``neutral`` one where the style has none.

        ``PresetError`` for a role or a style that no chain is written for (with the nearest one), and for a
        user's file that cannot be read.
        """
        own = self.styles(role)
        known = {name for each in self.roles() for name in self.styles(each)} | set(styles())
        if style not in known:
            raise PresetError(f"There is no style {style!r}; {did_you_mean(style, known)}")
        return self._load(role, style if style in own else NEUTRAL)

    def chains(self) -> tuple[Chain, ...]:
        """Every chain of the library."""
        return tuple(self._load(role, style) for role in self.roles() for style in self.styles(role))

    def _expect_role(self, role: str) -> None:
        if role not in self.roles():
            raise PresetError(f"There are no chains for role {role!r}; {did_you_mean(role, self.roles())}")

    def _load(self, role: str, style: str) -> Chain:
        mine = self.user_folder / role / f"{style}.toml" if self.user_folder else None
        if mine is not None and mine.is_file():
            return _read_chain(_text_of(mine), role, style, str(mine))
        if style not in _shipped_styles(role):
            raise PresetError(
                f"Role {role!r} has no chain {style!r}; add {role}/{style}.toml to your folder."
            )
        path = f"chains/{role}/{style}.toml"
        return _read_chain(shipped_text(path), role, style, path)

    @staticmethod
    def _user_names(folder: Path | None, *, is_folder: bool = False) -> list[str]:
        if folder is None or not folder.is_dir():
            return []
        if is_folder:
            return sorted(entry.name for entry in folder.iterdir() if any(_chains_in(entry)))
        return sorted(entry.stem for entry in _chains_in(folder))


def _chains_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.toml") if not is_hidden(path))


def _shipped_styles(role: str) -> list[str]:
    return shipped_names(f"chains/{role}") if role in _SHIPPED_ROLES else []


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PresetError(f"{path} could not be read: {error}. Wanted: a chain as UTF-8 TOML.") from error


def _read_chain(text: str, role: str, style: str, source: str) -> Chain:
    """The chain in a file whose place says ``role`` and ``style``: the file may leave them out."""
    chain = parse_value(Chain, {"role": role, "style": style, **read_toml(text, source)}, source)
    if (chain.role, chain.style) == (role, style):
        return chain
    found, wanted = f"{chain.role}/{chain.style}", f"{role}/{style}"
    raise PresetError(
        f"{source} says {found}, its place says {wanted}. Move the file or change role and style."
    )
