"""What a validation found: one finding per check, and the report of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    import pandas as pd

State = Literal["pass", "fail", "not_run"]
Comparison = Literal["<=", ">="]

#: Columns of the report, in the order in which they are printed and stored.
COLUMNS = (
    "id", "group", "state", "question", "figure", "unit", "comparison", "allowed", "detail",
    "reference",
)  # fmt: skip
#: Significant digits of a figure in print; the exact one stands in the CSV file.
DIGITS = 3
#: A message longer than this says no more to a reader.
LONGEST_DETAIL = 600


@dataclass(frozen=True)
class Finding:
    """The answer to one question about the model or the allocation.

    Parameters
    ----------
    id, group : str
        Identifier, unique in a report, and the group of checks that it belongs to.
    question : str
        What is asked, in plain words.
    figure : float
        What was measured; not a number where nothing could be.
    unit : str
        Unit of the figure.
    allowed : float
        Limit of the figure.
    comparison : {"<=", ">="}
        On which side of the limit the figure must lie.
    state : {"pass", "fail", "not_run"}
        Whether it does.
    detail : str
        Where the figure comes from, or why there is none.
    reference : str
        Name of the check in the literature.
    """

    id: str
    group: str
    question: str
    figure: float
    unit: str
    allowed: float
    comparison: Comparison
    state: State
    detail: str
    reference: str


@dataclass(frozen=True)
class Question:
    """A check before it is made: what is asked, and what figure is allowed.

    Parameters
    ----------
    id, group, words, unit, allowed, comparison, reference
        As `Finding` has them; `words` is the question.
    """

    id: str
    group: str
    words: str
    unit: str
    allowed: float
    reference: str
    comparison: Comparison = "<="

    def judge(self, figure: float, detail: str = "") -> Finding:
        """Pass or fail by the figure; what is no number fails."""
        within = figure <= self.allowed if self.comparison == "<=" else figure >= self.allowed
        return self._finding(figure, "pass" if within else "fail", detail)

    def not_run(self, reason: str) -> Finding:
        """The check was not made, and why."""
        return self._finding(math.nan, "not_run", reason)

    def broken(self, error: Exception) -> Finding:
        """The check could not be finished: this is a failure, with the message."""
        return self._finding(math.nan, "fail", f"{type(error).__name__}: {error}")

    def _finding(self, figure: float, state: State, detail: str) -> Finding:
        words = " ".join(detail.split())
        if len(words) > LONGEST_DETAIL:
            words = words[: LONGEST_DETAIL - 3] + "..."
        return Finding(
            id=self.id,
            group=self.group,
            question=self.words,
            figure=float(figure),
            unit=self.unit,
            allowed=self.allowed,
            comparison=self.comparison,
            state=state,
            detail=words,
            reference=self.reference,
        )


def answered(
    questions: Sequence[Question], answer: Callable[[], Iterable[Finding]]
) -> list[Finding]:
    """Make some checks; what goes wrong inside becomes a failure of each of them.

    Parameters
    ----------
    questions : sequence of Question
        What is asked.
    answer : callable
        Gives the findings; a question that it leaves open has failed too.
    """
    try:
        found = list(answer())
    except Exception as error:  # a check that cannot be made must not hide the others
        return [question.broken(error) for question in questions]
    given = {finding.id for finding in found}
    missing = [question for question in questions if question.id not in given]
    return found + [question.broken(LookupError("no answer was given")) for question in missing]


@dataclass(frozen=True)
class ValidationReport:
    """All findings of one validation.

    Parameters
    ----------
    experiment : str
        Name of the experiment.
    model : str
        SHA-256 of the model's text, empty where it could not be read.
    findings : tuple of Finding
        In the order in which the checks are made.
    """

    experiment: str
    model: str
    findings: tuple[Finding, ...]

    def __post_init__(self) -> None:
        ids = [finding.id for finding in self.findings]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise ValueError(f"findings stand twice ({', '.join(twice)})")

    @property
    def holds(self) -> bool:
        """Whether no check has failed; checks that were not run do not count."""
        return not self.failed

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.state == "fail")

    @property
    def counts(self) -> dict[State, int]:
        """Number of findings by state."""
        states: tuple[State, ...] = ("pass", "fail", "not_run")
        return {state: sum(finding.state == state for finding in self.findings) for state in states}

    def __getitem__(self, name: str) -> Finding:
        """Return a finding by its id."""
        for finding in self.findings:
            if finding.id == name:
                return finding
        raise KeyError(f"no finding {name!r}; there are {[each.id for each in self.findings]}")

    def to_frame(self) -> pd.DataFrame:
        """One row per finding, exact figures."""
        import pandas as pd

        return pd.DataFrame(
            [[getattr(finding, name) for name in COLUMNS] for finding in self.findings],
            columns=list(COLUMNS),
        )

    def to_dataset(self) -> xr.Dataset:
        """The same for a saved result, dim ``finding``."""
        columns = {
            name: ("finding", np.array([getattr(finding, name) for finding in self.findings]))
            for name in COLUMNS
            if name != "id"
        }
        return xr.Dataset(
            columns,
            {"finding": [finding.id for finding in self.findings]},
            {"experiment": self.experiment, "model_sha256": self.model},
        )

    def summary(self) -> str:
        """One line: how many checks passed, failed and were not run."""
        counts = self.counts
        return (
            f"{self.experiment}: {counts['pass']} checks passed, {counts['fail']} failed, "
            f"{counts['not_run']} not run (model {self.model[:12] or 'unread'})"
        )

    def to_text(self) -> str:
        """Aligned table for a terminal; failures and omissions with their reasons below."""
        head = ("state", "check", "figure", "allowed", "unit", "question")
        rows = [
            (
                finding.state,
                finding.id,
                figure_text(finding.figure),
                allowed_text(finding),
                finding.unit,
                finding.question,
            )
            for finding in self.findings
        ]
        widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

        def line(row: Sequence[str]) -> str:
            cells = [
                cell.rjust(width) if at in (2, 3) else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            return "  ".join(cells).rstrip()

        lines = [line(head), *(line(row) for row in rows), ""]
        for state, words in (("fail", "Failed"), ("not_run", "Not run")):
            told = [finding for finding in self.findings if finding.state == state]
            if told:
                lines += [f"{words}:"]
                lines += [f"  {finding.id}: {finding.detail}" for finding in told]
        return "\n".join([*lines, self.summary()])

    def to_markdown(self) -> str:
        """Page with one table per group of checks, every finding with its detail and reference."""
        lines = [f"# Validation of {_cell(self.experiment)}", "", self.summary(), ""]
        for group in dict.fromkeys(finding.group for finding in self.findings):
            lines += [
                f"## {_cell(group.capitalize())}",
                "",
                "| check | state | figure | allowed | unit | question | detail | reference |",
                "|---|---|---:|---:|---|---|---|---|",
            ]
            for finding in self.findings:
                if finding.group == group:
                    cells = (
                        f"`{finding.id}`",
                        finding.state,
                        figure_text(finding.figure),
                        allowed_text(finding),
                        finding.unit,
                        finding.question,
                        finding.detail,
                        finding.reference,
                    )
                    lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
            lines.append("")
        return "\n".join(lines)


def figure_text(value: float) -> str:
    """A figure as printed; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{DIGITS}g}"


def allowed_text(finding: Finding) -> str:
    """The limit of a figure as printed."""
    return f"{finding.comparison} {figure_text(finding.allowed)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
