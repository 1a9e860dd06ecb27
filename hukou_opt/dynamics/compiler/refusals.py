"""How the compiler refuses: by name, with what can be done, and everything at once."""

from __future__ import annotations

from hukou_opt.errors import ModelError


class UnsupportedError(ModelError):
    """The model uses what the array engine does not know; PySD can run it."""

    title = "The model cannot be compiled"


class NotKnownError(Exception):
    """One equation uses what the array engine does not know."""


class WrongError(Exception):
    """One equation is wrong for every reader.

    Parameters
    ----------
    what : str
        What is wrong, with the offending value in parentheses.
    fix : str
        What the user can do about it.
    """

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.fix = what, fix
