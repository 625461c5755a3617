"""The command line: ``stembridge``."""

from bridge.cli.app import app, main

__all__ = ["app", "main"]
