"""One cell of a rule that asks for something: what it asks, and what the answer gives."""

from __future__ import annotations

from dataclasses import dataclass

#: Shortfall, in the unit of the rule, that counts as met (ten times the solver's tolerance and the
#: size of what is asked).
MET = 1e-6


@dataclass(frozen=True)
class Asked:
    """One cell of a soft or a reported rule, in the rule's unit.

    Parameters
    ----------
    rule, section : str
        Name of the rule and section of the plan.
    where : str
        Region, year, service or block.
    asked, got : float
        What the rule asks and what the answer gives.
    unit : str
        Unit of both.
    kind : {"soft", "report"}
        Whether the linear program has seen the rule.
    """

    rule: str
    section: str
    where: str
    asked: float
    got: float
    unit: str
    kind: str = "soft"

    @property
    def short_by(self) -> float:
        """What is missing; 0 when the rule is met."""
        short = self.asked - self.got
        return short if short > MET * (1 + abs(self.asked)) else 0.0
