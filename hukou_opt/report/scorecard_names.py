"""Words of the scorecard: headers, states, units and how each measure is defined."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: dict[str, tuple[str, str]] = {
    "subject": ("scorecard of the plan's targets", "方案目标记分卡"),
    "section": ("Section", "章节"),
    "target": ("Target", "目标"),
    "due": ("Due", "期限"),
    "state": ("State", "状态"),
    "base_plan": ("Base (plan)", "方案基线"),
    "base_official": ("Base (official)", "官方基线"),
    "wanted": ("Wanted", "目标值"),
    "value": ("Reached", "实际值"),
    "progress": ("Progress", "进度"),
    "remark": ("Definition, or why it is not modelled", "口径或未建模原因"),
    "met": ("met", "已实现"),
    "on_track": ("on track", "进展正常"),
    "behind": ("behind", "落后"),
    "no_data": ("no data", "无数据"),
    "not_modelled": ("not modelled", "未建模"),
    "modelled": ("Computed by the model", "模型可计算的目标"),
    "outside": ("Outside the model: never filled", "模型之外的目标（不填数）"),
}
#: Units of the plan's facts in Chinese.
UNITS_ZH: Mapping[str, str] = {
    "10k person/year": "万人/年",
    "10k person": "万人",
    "10k seat": "万个",
    "100m yuan/year": "亿元/年",
    "100m yuan": "亿元",
    "yuan/person/year": "元/人/年",
    "workday": "工作日",
    "percentage point": "百分点",
    "gini point": "基尼点",
    "m2/person": "平方米/人",
    "city": "个",
    "cluster": "个",
    "service": "项",
    "organisation": "个",
    "event/year": "场/年",
    "hour/year": "学时/年",
    "school": "所",
    "hospital": "所",
    "centre": "个",
    "1/year": "每年",
    "100m yuan/10k person/year": "亿元/万人/年",
    "10k yuan/firm": "万元/家",
    "10k yuan/person": "万元/人",
    "PB": "PB",
    "department": "个",
    "document": "项",
    "m2 per m2": "平方米/平方米",
    "month": "月",
    "mu per 15yr pension": "亩/15年养老保险",
    "person": "人",
    "person/township": "人/乡镇",
    "points": "分",
    "points/year": "分/年",
    "pp per pp": "百分点/百分点",
    "risk": "类",
    "switch": "开关",
    "year": "年",
    "yuan/child/year": "元/人/年",
    "yuan/person/month": "元/人/月",
}
#: Measures in words, English and Chinese.
DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "hukou_rate": (
        "residents with urban hukou over all residents, end of the year",
        "年末城镇户籍人口占常住人口比例",
    ),
    "settlers_per_year": (
        "growth of settlers since the start over the years of the span",
        "期内累计落户人数的年均增量",
    ),
    "settlers_total": ("settlers since the start, end of the year", "年末累计落户人数"),
    "public_share": (
        "migrant children in public schools over all migrant children, simulated",
        "模拟路径中公办就读随迁子女占比",
    ),
    "new_seats": (
        "urban seats of the plan's building that stand at the end of the year",
        "年末已建成的城镇新增学位",
    ),
    "rural_service": (
        "covered part of the rural need over that of the urban need, the lower of seats and beds",
        "乡村与城镇需求满足率之比（学位与床位中较低者）",
    ),
    "abandoned_share": (
        "land left unfarmed over all farmland, end of the year",
        "年末撂荒耕地占比",
    ),
    "east_levy_share": (
        "levy received by supported regions over land revenue of eastern regions not in hardship",
        "受支持地区获得的提取资金占东部（非困难地区）土地出让收入比例",
    ),
    "central_used": ("central money spent since the start", "累计支出的中央资金"),
    **{
        f"sector_{name}": ("part of all central money spent, all years", "全部年份中央资金的占比")
        for name in ("education", "health", "social_security", "other")
    },
    "support_share": (
        "central money over certified cost of supported regions, all years",
        "受支持地区中央资金占核定成本比例",
    ),
    "bonds_per_year": ("special bonds for building, yearly mean", "建设专项债券年均规模"),
    "city_spending_share": (
        "yearly mean of the plan's money over budget expenditure of the base year, nation",
        "年均方案资金占基年一般公共预算支出比例（全国）",
    ),
    "capacity_share": (
        "room of public schools for migrant children over these children, region by region",
        "各地区公办学校可容纳的随迁子女占比",
    ),
    "partner_schools": (
        "seats started with private partners over the seats of a school",
        "社会资本新开工学位折合学校数",
    ),
    "partner_hospitals": (
        "beds started with private partners over the beds of a hospital",
        "社会资本新开工床位折合医院数",
    ),
}


def word(key: str, lang: str = "en") -> str:
    """Header or state in one of the two languages."""
    return _WORDS[key][0 if lang == "en" else 1]
