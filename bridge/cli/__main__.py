"""``python -m bridge.cli``: the command without its installed script."""

from bridge.cli import main

main()
