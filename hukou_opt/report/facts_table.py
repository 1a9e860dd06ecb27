"""The facts of the plan: figure, role, and where each is used or why it is not."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from hukou_opt.plan.facts import PlanFact, chinese_words
from hukou_opt.report.longtable import Column
from hukou_opt.report.scorecard_names import UNITS_ZH
from hukou_opt.report.table import MISSING
from hukou_opt.report.text_table import TextTable

#: Experiments that a printed row names; the CSV file has all.
NAMED = 4
#: Sections that are no chapter of the plan.
DERIVED = "derived"
_WORDS: dict[str, tuple[str, str]] = {
    "caption": ("Facts of the plan and where they are used", "方案事实及其用途"),
    "section": ("Section", "章节"),
    "fact": ("Fact", "事实"),
    "name": ("Name", "名称"),
    "figure": ("Figure", "数值"),
    "unit": ("Unit", "单位"),
    "role": ("Role", "作用"),
    "use": ("Used by, or why not", "用途或未用原因"),
    "chapter": ("Chapter {}", "第{}章"),
    DERIVED: ("Derived from several figures", "由多个数值推出"),
    "to": ("to", "至"),
    "parameter": ("parameter", "参数"),
    "range": ("another figure of", "另一数值，对应参数"),
    "rule": ("rule", "规则"),
    "column": ("region data", "地区数据"),
    "target": ("scorecard", "记分卡"),
    "baseline": ("baseline of", "基线，对应目标"),
    "experiment": ("varied by", "情景"),
    "more": ("and {} more", "等{}项"),
    "not_used": ("not used: {}", "未使用：{}"),
    "count": (
        "{} facts: {} used by the model or the linear program, {} only by the scorecard, ranges or "
        "region data, {} not used, each with its reason.",
        "共{}项：{}项用于模型或线性规划，{}项仅用于记分卡、取值范围或地区数据，{}项未使用并注明原因。",
    ),
}
ROLES_ZH = {
    "initial_value": "初始值",
    "parameter": "参数",
    "policy_lever": "政策杠杆",
    "constraint": "约束",
    "budget": "预算",
    "target": "目标",
    "evaluation": "评估",
    "risk_threshold": "风险阈值",
    "none": "无",
}


@dataclass(frozen=True)
class FactUse:
    """One fact of the plan and all places where it is used.

    Parameters
    ----------
    fact : PlanFact
        The fact.
    parameters : tuple of str
        Parameters that name it as their source.
    ranges : tuple of str
        Parameters of which it is another figure.
    rules : tuple of str
        Rules of the linear program that read one of these parameters, or state it themselves.
    columns : tuple of str
        Columns of the region table that are counted by it.
    targets, baselines : tuple of str
        Rows of the scorecard whose target or baseline it is.
    experiments : tuple of str
        Shipped experiments that vary it, or take it in place of the usual figure.
    """

    fact: PlanFact
    parameters: tuple[str, ...]
    ranges: tuple[str, ...]
    rules: tuple[str, ...]
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    baselines: tuple[str, ...]
    experiments: tuple[str, ...]

    @property
    def acts(self) -> bool:
        """Whether model, linear program or an experiment reads it."""
        return bool(self.parameters or self.rules or self.experiments)

    @property
    def used(self) -> bool:
        """Whether anything reads it."""
        return self.acts or bool(self.ranges or self.columns or self.targets or self.baselines)

    def in_words(self, lang: str = "en", most: int | None = None) -> str:
        """All uses in one line, or the reason why there is none.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language.
        most : int, optional
            Most experiments that are named; all by default.
        """
        if not self.used:
            reason = self.fact.why_not if lang == "en" else chinese_words()[self.fact.id][1]
            return _word("not_used", lang).format(reason)
        kinds = (
            ("parameter", self.parameters),
            ("range", self.ranges),
            ("rule", self.rules),
            ("column", self.columns),
            ("target", self.targets),
            ("baseline", self.baselines),
            ("experiment", self.experiments),
        )
        parts = []
        for kind, names in kinds:
            shown = list(names if most is None or kind != "experiment" else names[:most])
            rest = len(names) - len(shown)
            if rest:
                shown.append(_word("more", lang).format(rest))
            if shown:
                parts.append(f"{_word(kind, lang)} {', '.join(shown)}")
        return "; ".join(parts)


def facts_table(uses: Sequence[FactUse], lang: str = "en") -> TextTable:
    """Facts by chapter, with figure, unit, role and use.

    Parameters
    ----------
    uses : sequence of FactUse
        Facts in the plan's order.
    lang : {"en", "zh"}, optional
        Language.
    """
    widths = {"section": 0.06, "fact": 0.24, "unit": 0.09, "role": 0.09, "use": 0.3}
    keys = ("section", "fact", "figure", "unit", "role", "use")
    sections: dict[str, list[tuple[str, ...]]] = {}
    for each in uses:
        sections.setdefault(_chapter(each.fact, lang), []).append(_row(each, lang))
    return TextTable(
        "facts",
        _word("caption", lang),
        tuple(Column(_word(key, lang), widths.get(key, 0.0)) for key in keys),
        tuple((heading, tuple(rows)) for heading, rows in sections.items()),
        (count_sentence(uses, lang),),
    )


def count_sentence(uses: Sequence[FactUse], lang: str = "en") -> str:
    """How many facts are used, and by what."""
    acting = sum(each.acts for each in uses)
    used = sum(each.used for each in uses)
    return _word("count", lang).format(len(uses), acting, used - acting, len(uses) - used)


def facts_csv(uses: Sequence[FactUse], lang: str = "en") -> str:
    """One line per fact, with one column for each kind of use.

    Parameters
    ----------
    uses : sequence of FactUse
        Facts in the plan's order.
    lang : {"en", "zh"}, optional
        Language of meaning and reason.
    """
    stream = io.StringIO()
    lines = csv.writer(stream, lineterminator="\n")
    kinds = ("parameters", "ranges", "rules", "columns", "targets", "baselines", "experiments")
    head = ["id", "section", "meaning", "value", "low", "high", "unit", "year_from", "year_to"]
    lines.writerow([*head, "role", "used", "acts", *kinds, "why_not"])
    for each in uses:
        fact = each.fact
        reason = fact.why_not if lang == "en" else chinese_words()[fact.id][1]
        numbers = (fact.value, fact.low, fact.high)
        lines.writerow(
            [
                fact.id,
                fact.section,
                _meaning(fact, lang),
                *("" if number is None else f"{number:.10g}" for number in numbers),
                fact.unit,
                *("" if year is None else year for year in (fact.year_from, fact.year_to)),
                fact.role,
                int(each.used),
                int(each.acts),
                *(" ".join(getattr(each, kind)) for kind in kinds),
                reason,
            ]
        )
    return stream.getvalue()


def _row(each: FactUse, lang: str) -> tuple[str, ...]:
    fact = each.fact
    role = fact.role.replace("_", " ") if lang == "en" else ROLES_ZH[fact.role]
    return (
        fact.section,
        _meaning(fact, lang),
        _figure(fact, lang),
        "" if fact.unit == "1" else fact.unit if lang == "en" else UNITS_ZH[fact.unit],
        role,
        each.in_words(lang, NAMED),
    )


def _meaning(fact: PlanFact, lang: str) -> str:
    return fact.meaning if lang == "en" else chinese_words()[fact.id][0]


def _figure(fact: PlanFact, lang: str) -> str:
    """Value, and the range where there is one."""
    plain = fact.unit == "year"

    def text(number: float) -> str:
        return f"{number:.10g}" if plain else f"{number:,.10g}"

    value = MISSING if fact.value is None else text(fact.value)
    ends = [end for end in (fact.low, fact.high) if end is not None]
    if len(ends) < 2 or ends == [fact.value, fact.value]:
        return value
    return f"{value} ({text(ends[0])} {_word('to', lang)} {text(ends[1])})"


def _chapter(fact: PlanFact, lang: str) -> str:
    if fact.section == DERIVED:
        return _word(DERIVED, lang)
    return _word("chapter", lang).format(fact.section.partition(".")[0])


def _word(key: str, lang: str) -> str:
    return _WORDS[key][0 if lang == "en" else 1]
