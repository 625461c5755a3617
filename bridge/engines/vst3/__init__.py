"""Third-party VST3 plug-ins, hosted in short-lived processes of their own.

A plug-in is somebody else's code: it may crash, hang, flood its log or end its process. JUCE, the host
library under pedalboard, wants one thread that loads them all, and does not give memory back. So none is ever
loaded by a worker or the service: ``PluginHost`` starts a process, asks it, and ends it.
"""

from bridge.engines.vst3.host import PluginHost, render_effect, setup_of
from bridge.engines.vst3.scan import InstalledPlugin, find_plugin, installed_plugins, mark_of
from bridge.engines.vst3.words import Looked, ParameterFacts, PluginFacts, Rendered, Setup

__all__ = [
    "InstalledPlugin",
    "Looked",
    "ParameterFacts",
    "PluginFacts",
    "PluginHost",
    "Rendered",
    "Setup",
    "find_plugin",
    "installed_plugins",
    "mark_of",
    "render_effect",
    "setup_of",
]
