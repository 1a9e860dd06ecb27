"""Words of the comparison of runs."""

from __future__ import annotations

from collections.abc import Mapping

from hukou_opt.report.table import Kind

#: Groups of outcomes in the order of the table.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "people": {"en": "People", "zh": "人口"},
    "schools": {"en": "Schools", "zh": "学校"},
    "hospitals": {"en": "Hospitals", "zh": "医疗"},
    "equality": {"en": "Equality", "zh": "均等"},
    "land": {"en": "Land", "zh": "土地"},
    "money": {"en": "Money", "zh": "资金"},
}
#: Outcomes that are written otherwise than their unit says: an index is no share.
KINDS: Mapping[str, Kind] = {"tension": "figure"}
_WORDS: Mapping[str, tuple[str, str]] = {
    "caption": ("Outcomes side by side: {}", "结果比较：{}"),
    "group": ("Group", "类别"),
    "outcome": ("Outcome", "结果指标"),
    "year": ("Year", "年份"),
    "value": ("Figure", "数值"),
    "difference": ("Difference from {}", "与{}之差"),
    "all_years": ("all", "全部"),
    "reading": (
        "Differences are to {}, those of shares in percentage points (pp); a dash stands where a "
        "run does not hold the figure. Amounts of money are in constant base-year prices.",
        "差值以{}为基准，比例之差为百分点，短横表示该运行无此数值。资金按基年不变价格计。",
    ),
    "about": (
        "{}: {}; base year from {}; {}; hukou-opt {}, result {}.",
        "{}：{}，基年数据{}，{}，hukou-opt {}，结果指纹{}。",
    ),
    "base_official": ("official statistics", "取自官方统计"),
    "base_plan": ("the plan's own figures", "取自方案"),
    "at_rest": ("certified, at rest after {} rounds", "已证明，{}轮后收敛"),
    "not_at_rest": ("certified, NOT at rest after {} rounds", "已证明，{}轮后未收敛"),
    "no_allocation": ("no allocation", "无资金分配"),
    "points": ("pp", "百分点"),
    "no_data": ("no data", "无数据"),
    "beds_short": ("Hospital beds short, town and country", "城乡床位缺口"),
    "10k": ("10k", "万个"),
    "10k seats": ("10k seats", "万个学位"),
    "10k beds": ("10k beds", "万张床位"),
    "10k places": ("10k places", "万个学位"),
    "10k persons": ("10k persons", "万人"),
    "10k persons/year": ("10k persons/year", "万人/年"),
    "10k mu": ("10k mu", "万亩"),
    "100m yuan": ("100m yuan", "亿元"),
    "100m yuan/year": ("100m yuan/year", "亿元/年"),
}


def word(key: str, lang: str = "en") -> str:
    """A word or sentence in one of the two languages; the key itself where none is known."""
    both = _WORDS.get(key)
    return key if both is None else both[0 if lang == "en" else 1]
