"""The one error of presets: a chain, a target or a preset file that cannot be used."""


class PresetError(Exception):
    """The preset cannot be used."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__ or "")

    @property
    def message(self) -> str:
        """What was found, what was wanted and what to do, for people."""
        return str(self.args[0])
