"""The registry: what is plugged in is found by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from bridge import registry
from bridge.errors import RegistryError
from bridge.protocols import Separator


def test_our_separator_registers_like_a_strangers() -> None:
    """The light separator is found by its entry point and answers the protocol."""
    assert "light" in registry.names("bridge.separators")
    assert isinstance(registry.load("bridge.separators", "light")(), Separator)


def test_unknown_name_suggests_the_near_one() -> None:
    """And lists what there is."""
    with pytest.raises(RegistryError, match="Did you mean 'light'"):
        registry.load("bridge.separators", "lihgt")


def test_a_broken_plug_in_is_blamed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that fails becomes an error that names the entry point and keeps its cause."""
    broken = EntryPoint(name="broken", value="no.such.module:Thing", group="bridge.separators")
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    with pytest.raises(RegistryError, match=r"no\.such\.module:Thing") as caught:
        registry.load("bridge.separators", "broken")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
