"""What a rule says of itself; the rule list and the slack table are made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One named family of rows of the linear program.

    Parameters
    ----------
    name : str
        Name of the Pyomo constraint, and of its slack where the rule is soft.
    title : str
        The rule in the policy's words.
    equation : str
        The rows in plain notation.
    unit : str
        Unit of the rows.
    section : str
        Plan section, or the word assumption.
    kind : {"hard", "soft"}
        Hard rows always hold; soft rows have a named slack.
    """

    name: str
    title: str
    equation: str
    unit: str
    section: str
    kind: str
