"""Everything that shipdet raises on purpose.

`InputError` and its leaves are the caller's mistakes (exit code 2 of the command
line); any other `ShipdetError` is a failure inside a run that was asked for rightly
(exit code 1). A message says what was expected, what came, and what to do.
"""


class ShipdetError(Exception):
    """A failure that shipdet foresaw and can explain in one line."""


class InputError(ShipdetError):
    """The caller asked for something that cannot be done as asked."""


class SceneError(InputError):
    """A scene that cannot be opened or does not fit the model."""


class LabelsError(InputError):
    """Labels that cannot be understood."""


class ConfigError(InputError):
    """A config with an unknown key or an impossible value."""


class WeightsError(InputError):
    """A weights file that is not ours or is damaged."""


class OutputError(InputError):
    """An output that cannot be written where it was asked for."""


class ReadError(ShipdetError):
    """Pixels that could not be read from a scene that did open."""
