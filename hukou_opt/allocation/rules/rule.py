"""What a rule says of itself; rule list, slack table and documents are made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One named rule of the plan, or of the bookkeeping that the plan's rules rest on.

    Parameters
    ----------
    name : str
        Name of the Pyomo constraint, and of its slack where the rule is soft.
    title, title_zh : str
        The rule in the policy's words.
    equation : str
        The rows in plain notation.
    latex : str
        The same in LaTeX mathematics, without delimiters.
    unit : str
        Unit of the rows.
    section : str
        Plan section, or the word assumption.
    kind : {"hard", "soft", "report", "check"}
        Hard rules always hold; soft rules have a named slack; reports are computed from the answer
        and bind nothing; checks are made before the solve.
    form : {"rows", "bounds", "figure"}
        How the rule enters: rows of the linear program, bounds of its columns, or a figure that is
        computed outside it.
    modes : tuple of str
        What an experiment may choose under ``allocation.rules``; empty where the rule is always on.
    default : str
        Mode where the experiment is silent.
    parameters : tuple of str
        Names of the registry's parameters that the rule reads.
    switch : str
        Key under ``allocation.rules`` where several rules are switched together; the rule's own
        name where empty.
    """

    name: str
    title: str
    title_zh: str
    equation: str
    latex: str
    unit: str
    section: str
    kind: str
    form: str = "rows"
    modes: tuple[str, ...] = ()
    default: str = "on"
    parameters: tuple[str, ...] = ()
    switch: str = ""

    @property
    def key(self) -> str:
        """Key under ``allocation.rules`` that switches the rule."""
        return self.switch or self.name
