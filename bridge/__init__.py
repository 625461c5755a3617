"""stembridge: from a generated song to named stems, masters and presets in the Live project's folder."""

__version__ = "0.1.0"
