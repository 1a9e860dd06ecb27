"""Rules, quantities, indices and levels as printed cards, in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hukou_opt.allocation.rules.rule import Rule
    from hukou_opt.report.catalogue_table import Card, Catalogue

_HEADS = {
    "en": ("name", "title", "unit", "source", "equation"),
    "zh": ("名称", "含义", "单位", "出处", "公式"),
}
_CAPTIONS = {
    "rules": {"en": "Rules of the linear program", "zh": "线性规划的规则"},
    "objectives": {"en": "Objectives of the linear program", "zh": "线性规划的目标"},
}
_KINDS = {
    "hard": {"en": "Hard rules: they always hold", "zh": "硬约束：必须满足"},
    "soft": {"en": "Soft rules: with a named slack", "zh": "软约束：设有缺额变量"},
    "report": {"en": "Reports: computed, not imposed", "zh": "报告项：仅计算，不作约束"},
    "check": {"en": "Checks before the solve", "zh": "求解前检查"},
}
_LABELS = {
    "switch": {"en": "switch", "zh": "开关"},
    "parameters": {"en": "parameters", "zh": "参数"},
    "form": {"en": "form", "zh": "形式"},
    "always": {"en": "always on", "zh": "始终有效"},
    "default": {"en": "default", "zh": "默认"},
    "notation": {"en": "Notation", "zh": "符号"},
    "people": {"en": "weights", "zh": "权重"},
    "between": {"en": "compared between", "zh": "比较对象"},
    "better": {"en": "better", "zh": "方向"},
    "more": {"en": "more is better", "zh": "越大越好"},
    "less": {"en": "less is better", "zh": "越小越好"},
    "exact": {"en": "exactness", "zh": "精确性"},
    "levels_down": {"en": "levelling down", "zh": "向下拉平"},
    "never": {"en": "never: it rises with every loss", "zh": "不会"},
    "can": {"en": "possible: it falls when the best-off lose", "zh": "可能"},
    "applies": {"en": "applies to", "zh": "适用于"},
    "all": {"en": "all quantities", "zh": "全部指标"},
    "good": {"en": "quantities of which more is better", "zh": "越大越好的指标"},
    "terms": {"en": "terms", "zh": "构成"},
    "guard": {"en": "guard", "zh": "保护"},
    "guarded": {
        "en": "earlier levels may take from it only what the parameter guard allows",
        "zh": "前面各级最多损失参数guard所允许的部分",
    },
}
_GROUPS = {
    "measure": {"en": "Quantities", "zh": "指标"},
    "index": {"en": "Indices", "zh": "指数"},
    "level": {"en": "Shipped levels", "zh": "预设目标级"},
}
_LETTERS = {
    "en": "Notation of the indices: x values, y losses (y = x where less is better, y = -x where "
    "more is), w weights that sum to 1, p worst-off part, lambda aversion to inequality.",
    "zh": "指数符号：x为指标值，y为损失（越小越好时y=x，越大越好时y=-x），w为和为1的权重，"
    "p为最差部分，lambda为不平等厌恶系数。",
}
#: Words of sources and units in Chinese, the longer ones first.
_CHINESE = (
    ("rules of special bonds", "专项债券管理规定"),
    ("building times of the stock-flow model", "存量流量模型的建设周期"),
    ("settlers and ceilings of the last year", "末年落户人数与上限"),
    ("ceiling of other regions", "其他地区上限"),
    ("size and share of capital", "规模与资本比例"),
    ("shares of plan 7.1", "方案7.1的比例"),
    ("bookkeeping", "核算关系"),
    ("comparator", "对照方案"),
    ("assumption", "假设"),
    ("band", "幅度"),
    ("share", "比例"),
    ("plan ", "方案"),
    ("10k seats or beds per year", "万个学位或万张床位/年"),
    ("10k seats or beds", "万个学位或万张床位"),
    ("10k children", "万名学生"),
    ("10k persons", "万人"),
    ("10k seats", "万个学位"),
    ("100m yuan per year", "亿元/年"),
    ("100m yuan", "亿元"),
    ("10k yuan", "万元"),
    ("seats per child", "学位/学生"),
    ("beds per 1,000 residents", "床/千人"),
    ("person/person", "人/人"),
    ("as the rule", "同该规则"),
    (" per resident and year", "/人/年"),
    ("seats/school", "学位/校"),
    ("beds/hospital", "床/院"),
    ("hospitals", "所医院"),
    ("schools", "所学校"),
    ("/year", "/年"),
    ("/seat", "/学位"),
    ("/bed", "/床"),
    ("/person", "/人"),
)


def translated(text: str, lang: str) -> str:
    """Source or unit in the language asked for."""
    if lang == "zh":
        for english, chinese in _CHINESE:
            text = text.replace(english, chinese)
    return text


def rule_catalogue(lang: str, only: str = "") -> Catalogue:
    """Every rule of the linear program, those of one kind where `only` names it."""
    from hukou_opt.allocation.notation import SYMBOLS
    from hukou_opt.allocation.rules import RULES
    from hukou_opt.report.catalogue_table import Catalogue
    from hukou_opt.report.latex import latex_escape

    cards = [
        _rule_card(rule, lang)
        for kind in _KINDS
        for rule in RULES
        if rule.kind == kind and only in ("", kind)
    ]
    meanings = []
    for each in SYMBOLS:
        unit = f" ({translated(each.unit, lang)})" if each.unit not in ("", "1") else ""
        meanings.append((each, (each.meaning_zh if lang == "zh" else each.meaning) + unit))
    head = _LABELS["notation"][lang]
    plain = "; ".join(f"{each.plain} = {text}" for each, text in meanings if each.plain)
    latex = "; ".join(f"${each.latex}$ {latex_escape(text)}" for each, text in meanings)
    return Catalogue(
        "rules",
        _CAPTIONS["rules"][lang],
        _HEADS[lang],
        tuple(cards),
        (f"{head}: {plain}.",),
        (f"{head}: {latex}.",),
    )


def _rule_card(rule: Rule, lang: str) -> Card:
    from hukou_opt.report.catalogue_table import Card

    details = [(_LABELS["switch"][lang], _switch(rule, lang))]
    if rule.parameters:
        details.append((_LABELS["parameters"][lang], _values(rule.parameters, lang)))
    return Card(
        rule.name,
        rule.title_zh if lang == "zh" else rule.title,
        _KINDS[rule.kind][lang],
        rule.equation,
        rule.latex,
        translated(rule.unit, lang),
        translated(rule.section, lang),
        tuple(details) if rule.kind in ("hard", "soft") else tuple(details[1:]),
    )


def _switch(rule: Rule, lang: str) -> str:
    if not rule.modes:
        return _LABELS["always"][lang]
    default = _LABELS["default"][lang]
    modes = [f"{mode} ({default})" if mode == rule.default else mode for mode in rule.modes]
    return f"allocation.rules.{rule.key}: {', '.join(modes)}"


def _values(names: tuple[str, ...], lang: str) -> str:
    """Parameters with value and unit of the registry."""
    from hukou_opt.parameters import load_parameters

    rows = load_parameters().rows
    shown = []
    for name in names:
        row = rows[name]
        unit = "" if row.unit == "1" else f" ({translated(row.unit, lang)})"
        shown.append(f"{name} = {row.value:g}{unit}")
    return ", ".join(shown)


def objective_catalogue(lang: str) -> Catalogue:
    """Every quantity, every index and every shipped level."""
    from hukou_opt.allocation.objectives import INDICES, MEASURES
    from hukou_opt.allocation.spec import SHIPPED
    from hukou_opt.report.catalogue_table import Card, Catalogue
    from hukou_opt.report.latex import latex_escape

    zh, label = lang == "zh", {key: text[lang] for key, text in _LABELS.items()}
    group = {key: text[lang] for key, text in _GROUPS.items()}
    cards = [
        Card(
            each.name,
            each.title_zh if zh else each.title,
            group["measure"],
            each.equation,
            each.latex,
            translated(each.unit, lang),
            "",
            (
                (label["better"], label["more"] if each.good else label["less"]),
                (label["people"], each.people),
                (label["between"], ", ".join(each.groupings)),
            ),
        )
        for each in MEASURES.values()
    ]
    cards += [
        Card(
            each.name,
            each.title_zh if zh else each.title,
            group["index"],
            each.equation,
            each.latex,
            "",
            each.reference,
            (
                (label["applies"], label[each.applies_to]),
                (label["exact"], each.exact),
                (label["levels_down"], label["never"] if each.monotone else label["can"]),
            ),
        )
        for each in INDICES.values()
    ]
    for level in SHIPPED.values():
        terms = " + ".join(f"{term.index} of {term.measure}" for term in level.terms)
        details = [(label["terms"], terms)] if terms else []
        if level.guarded:
            details.append((label["guard"], label["guarded"]))
        cards.append(
            Card(level.name, level.meaning, group["level"], "", "", "", "", tuple(details))
        )
    return Catalogue(
        "objectives",
        _CAPTIONS["objectives"][lang],
        _HEADS[lang],
        tuple(cards),
        (_LETTERS[lang],),
        (latex_escape(_LETTERS[lang]),),
    )
