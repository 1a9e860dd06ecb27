"""The scorecard: every target of the plan, its baselines, what a run has reached, and its state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hukou_opt.plan.scorecard import STATES, Score
from hukou_opt.report.longtable import Column
from hukou_opt.report.scorecard_figures import scorecard
from hukou_opt.report.scorecard_names import DEFINITIONS, UNITS_ZH, word
from hukou_opt.report.table import MISSING, Kind, Table, notes, printed, title, write
from hukou_opt.report.text_table import TextTable
from hukou_opt.result import Result

#: How a figure is written by the form of its target.
_KINDS: dict[str, Kind] = {
    "percent": "percent",
    "count": "whole",
    "ratio": "small",
    "year": "whole",
}
_SIGNS = {"at_least": "≥ ", "at_most": "≤ ", "equal": "= "}
#: Stands behind a figure of another year than the one in which it is due.
EARLIER = "*"
_FIGURES = ("base_plan", "base_official", "wanted", "value", "progress")


@dataclass(frozen=True)
class ScoreTable(Table):
    """A table whose last column is a share in every row, whatever the row's own unit."""

    def kind(self, row: int, column: int) -> Kind:
        """How one figure is written."""
        last = column == self.frame.shape[1] - 1
        return "percent" if last else self.row_kinds[row]


def scorecard_table(result: Result) -> Table:
    """The scorecard as figures, for the tables of a run.

    Parameters
    ----------
    result : Result
        A run, with a certificate or without allocation.

    Raises
    ------
    ResultError
        If the result has an allocation without certificate.
    """
    scores = scorecard(result)
    names = [word(key) for key in ("section", "target", "due", "state")]
    index = pd.MultiIndex.from_tuples(
        [
            (each.target.sections, _printed_label(each), _due(each), word(each.state))
            for each in scores
        ],
        names=names,
    )
    frame = pd.DataFrame(
        [[_number(value) for value in _values(each)] for each in scores],
        index=index,
        columns=pd.Index([word(key) for key in _FIGURES]),
        dtype=float,
    )
    return ScoreTable(
        "scorecard",
        title(result, word("subject")),
        frame,
        (),
        tuple(_kind(each) for each in scores),
        scorecard_frame(result, scores),
        (),
        True,
        (
            *scorecard_notes(result, scores),
            "Definitions, sources of the baselines and reasons stand in scorecard.csv.",
            *notes(result),
        ),
    )


def scorecard_frame(result: Result, scores: list[Score] | None = None) -> pd.DataFrame:
    """One row per target with all that is known of it, figures in the unit of the row.

    Parameters
    ----------
    result : Result
        A run, with a certificate or without allocation.
    scores : list of Score, optional
        Its scores, where they have been made.
    """
    made = scorecard(result) if scores is None else scores
    rows = []
    for each in made:
        target = each.target
        rows.append(
            {
                "id": target.id,
                "section": target.section,
                "also": target.also,
                "label_en": target.label_en,
                "label_zh": target.label_zh,
                "unit": target.fact.unit,
                "base_plan": _number(target.base_plan),
                "source_plan": target.source_plan,
                "base_official": _number(target.base_official),
                "source_official": target.source_official,
                "direction": target.direction,
                "target": target.target,
                "year": target.year,
                "value": _number(each.value),
                "judged": each.judged,
                "base": _number(each.base),
                "base_kind": each.base_kind,
                "due": _number(each.due if each.value is not None else None),
                "progress": _number(each.progress),
                "state": each.state,
                "definition": _definition(each, "en"),
                "remark": target.remark_en,
                "definition_zh": _definition(each, "zh"),
                "remark_zh": target.remark_zh,
            }
        )
    frame = pd.DataFrame(rows)
    return frame.astype({"year": "Int64", "judged": "Int64"})


def scorecard_words(result: Result, lang: str = "en", *, remarks: bool = True) -> TextTable:
    """The scorecard in words and figures, with definitions and reasons.

    Parameters
    ----------
    result : Result
        A run, with a certificate or without allocation.
    lang : {"en", "zh"}, optional
        Language.
    remarks : bool, optional
        Whether definitions and reasons have a column; a printed page has no room for them.
    """
    scores = scorecard(result)
    keys = ("section", "target", "due", *_FIGURES, "state", *(("remark",) if remarks else ()))
    widths = {"section": 0.05, "target": 0.2, "state": 0.07, "remark": 0.2}
    inside = [each for each in scores if each.target.measure]
    outside = [each for each in scores if not each.target.measure]
    heading = str(result.attrs["title_en" if lang == "en" else "title_zh"])
    colon = ": " if lang == "en" else "："
    return TextTable(
        "scorecard",
        f"{heading}{colon}{word('subject', lang)}",
        tuple(Column(word(key, lang), widths.get(key, 0.0)) for key in keys),
        (
            (word("modelled", lang), tuple(_cells(each, lang)[: len(keys)] for each in inside)),
            (word("outside", lang), tuple(_cells(each, lang)[: len(keys)] for each in outside)),
        ),
        (*scorecard_notes(result, scores, lang), *_sources(scores, lang), *notes(result)),
    )


def scorecard_notes(result: Result, scores: list[Score], lang: str = "en") -> tuple[str, ...]:
    """How many targets are in which state, and how they are judged."""
    count = Counter(each.state for each in scores)
    last = max((each.judged for each in scores if each.judged is not None), default=None)
    comma = ", " if lang == "en" else "，"
    states = comma.join(f"{count[state]} {word(state, lang)}" for state in STATES)
    modelled = len(scores) - count["not_modelled"]
    official = result.attrs["base"] == "official"
    if lang == "zh":
        stated = "官方统计" if official else "方案"
        lines = [
            f"共{len(scores)}项目标，其中{modelled}项由模型计算：{states}。",
            f"期限晚于{last}年或未定期限者按{last}年判断并标{EARLIER}：达到基线至目标的直线路径即为进展正常。"
            "方案前后矛盾的目标分行列出。",
            f"进度=（实际值−基线）/（目标值−基线），基线取{stated}数据，二者均无时取模型起点。",
        ]
        lines.append(
            "不改革亦可达到的部分见no_reform的记分卡。"
            if result.attrs["reform"]
            else "本次运行不含改革：所达目标无需改革即可实现。"
        )
        return tuple(lines)
    lines = [
        f"{len(scores)} targets, {modelled} of them computed by the model: {states}.",
        f"A target due after {last}, or without a year, is judged in {last}, the last year in "
        f"which the run decides, and marked {EARLIER}: on track is what has reached the straight "
        "line from baseline to target. Where the plan contradicts itself each figure has its own "
        "row.",
        "Progress is (reached - baseline) / (wanted - baseline), from the "
        + ("official" if official else "plan's")
        + " baseline, the other where there is none, or the run's own start.",
    ]
    lines.append(
        "What of this comes without any reform stands in the scorecard of no_reform."
        if result.attrs["reform"]
        else "This run is without reform: what is met here needs none."
    )
    if result.attrs.get("region_notes"):
        lines.append("The targets are the nation's; this run has other regions.")
    return tuple(lines)


def _sources(scores: list[Score], lang: str) -> list[str]:
    """Where the baselines are from."""
    found: dict[str, str] = {}
    for each in scores:
        label = each.target.label_en if lang == "en" else each.target.label_zh
        if each.target.source_official:
            found.setdefault(each.target.source_official, label)
    head = "Official baselines: " if lang == "en" else "官方基线来源："
    return [head + "; ".join(f"{label}: {source}" for source, label in found.items()) + "."]


def _values(each: Score) -> tuple[float | None, ...]:
    target = each.target
    return (
        target.base_plan,
        target.base_official,
        target.target,
        each.value,
        each.progress,
    )


def _kind(each: Score) -> Kind:
    """How a row's figures are written: finer where a miss would not be seen."""
    kind = _KINDS[each.target.form]
    if kind == "percent" and each.state == "behind" and each.value is not None:
        same = printed(each.value, kind) == printed(each.target.target, kind)
        return "fine_percent" if same else kind
    return kind


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _label(each: Score, lang: str) -> str:
    """The target in words, with its unit where it is no share."""
    text = each.target.label_en if lang == "en" else each.target.label_zh
    unit = each.target.fact.unit
    if unit in ("1", "year"):
        return text
    return f"{text}, {unit}" if lang == "en" else f"{text}（{UNITS_ZH.get(unit, unit)}）"


def _printed_label(each: Score) -> str:
    """The target in words where its figure stands without a sign before it."""
    most = " (at most)" if each.target.direction == "at_most" else ""
    return _label(each, "en") + most


def _due(each: Score) -> str:
    target = each.target
    if target.year is None:
        return MISSING
    if target.kind == "mean" and target.first_year is not None:
        return f"{target.first_year}–{target.year % 100:02d}"
    return str(target.year)


def _definition(each: Score, lang: str) -> str:
    words = DEFINITIONS.get(each.target.measure)
    return "" if words is None else words[0 if lang == "en" else 1]


def _cells(each: Score, lang: str) -> tuple[str, ...]:
    target = each.target
    kind = _kind(each)
    plan, official, wanted, value, progress = (_number(item) for item in _values(each))
    # A calendar year takes no thousands separator.
    asked = str(round(wanted)) if target.form == "year" else write(wanted, kind)
    reached = write(value, kind)
    if each.value is not None and each.judged != target.year:
        reached += EARLIER
    remark = target.remark_en if lang == "en" else target.remark_zh
    about = [part for part in (_definition(each, lang), remark) if part]
    return (
        target.sections,
        _label(each, lang),
        _due(each),
        write(plan, kind),
        write(official, kind),
        _SIGNS[target.direction] + asked,
        reached,
        write(progress, "percent"),
        word(each.state, lang),
        ("; " if lang == "en" else "，").join(about),
    )
