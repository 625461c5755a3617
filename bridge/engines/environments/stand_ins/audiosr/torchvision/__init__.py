"""Stands in for torchvision, which AudioSR imports for pictures that it never sees.

Its own wheels fit one build of torch each. Every name in every submodule is there, and none of it works.
"""

import importlib.abc
import importlib.machinery
import sys

__version__ = "0.0"


class _Names(type):
    """Every name of a class is there, as text that is like no other."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class _Absent(metaclass=_Names):
    def __init__(self, *_arguments, **_named):
        raise NotImplementedError("This torchvision stands in for the real one, and does nothing.")


def _absent(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Names(name, (_Absent,), {})


class _Submodules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith("torchvision."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__getattr__ = _absent


sys.meta_path.append(_Submodules())
