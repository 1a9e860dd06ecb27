"""The letters in which rules and measures are written, plain and in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Symbol:
    """One letter of the equations.

    Parameters
    ----------
    plain : str
        As in `Rule.equation`; empty where the equation has a word for it.
    latex : str
        As in `Rule.latex`.
    meaning, meaning_zh : str
        What it stands for.
    unit : str
        Its unit; empty for an index or a set.
    """

    plain: str
    latex: str
    meaning: str
    meaning_zh: str
    unit: str = ""


_MONEY = "100m yuan"
_PLACES = "10k seats or beds"
_CHILDREN = "10k children"

SYMBOLS: tuple[Symbol, ...] = (
    Symbol("r, t, b", "r, t, b", "region, year, block of years", "地区、年份、时段"),
    Symbol("u", "u", "earlier year", "较早年份"),
    Symbol("g", "g", "sector of the money", "资金部门"),
    Symbol("s, j", "s, j", "service (seats, beds) and area (town, countryside)", "服务，城乡"),
    Symbol("T", "t^*, T", "target year, years decided and the last of them", "目标年份，规划年份"),
    Symbol("F, Fb", r"F, \bar F", "central money of a year, of a block", "中央资金", _MONEY),
    Symbol(
        "A", r"A, \bar A", "money of province and city, its ceiling", "省、市资金及上限", _MONEY
    ),
    Symbol("B", r"B, \bar B", "bonds, their national total", "专项债券及总额", _MONEY),
    Symbol("E", r"E, \bar E", "eastern levy, its ceiling", "东部统筹资金及上限", _MONEY),
    Symbol("U", "U", "certified cost that stays unfunded", "资金缺口", _MONEY),
    Symbol("c", "c", "certified running cost", "核定运行成本", _MONEY),
    Symbol("", "Q_{grt}", "building cost of the public purse", "公共建设支出", _MONEY),
    Symbol("C", "C", "central fund", "中央基金", _MONEY),
    Symbol("", "x", "public building starts", "公办新开工", _PLACES),
    Symbol("", "y", "building starts of private partners", "社会资本开工", _PLACES),
    Symbol("", "K", "standing capacity", "服务能力", _PLACES),
    Symbol("", r"\bar K", "capacity without new building", "既有能力", _PLACES),
    Symbol(
        "",
        r"\sigma",
        "capacity that stands some years after one unit is started",
        "建成率",
        "1",
    ),
    Symbol("", "N", "seats or beds needed", "需求", _PLACES),
    Symbol("", "S, I", "need without capacity, idle capacity", "缺口、闲置", _PLACES),
    Symbol("", r"\mu", "spare capacity that is not idle", "合理富余比例", "1"),
    Symbol("", r"\tau", "temporary places", "临时学位", "10k seats"),
    Symbol(
        "",
        r"\lambda",
        "places that classes hold beyond their seats",
        "扩班容量",
        "10k seats",
    ),
    Symbol("c'", "c'", "places in urban public schools", "城镇公办学位", "10k seats"),
    Symbol("a, m", "a, m", "hukou and migrant children in public schools", "在读学生", _CHILDREN),
    Symbol("KU, KM", "N^U, N^M", "hukou and migrant children in town", "城镇学龄儿童", _CHILDREN),
    Symbol("phi", r"\varphi", "priority of hukou children, 1 to 0", "户籍学生优先程度", "1"),
    Symbol("", r"\ell", "places beyond the rationing rule", "超出分配规则的学位", _CHILDREN),
    Symbol("", "w, W", "teachers hired, new posts", "新增教师、编制", "10k persons"),
    Symbol("", r"\bar w", "teacher posts freed in the countryside", "调剂教师", "10k persons"),
    Symbol("", r"\pi", "pupils that one teacher serves", "师生比", "person/person"),
    Symbol(
        "",
        r"\beta, \delta",
        "yearly limit of building, and of its change",
        "开工限额",
        "1",
    ),
    Symbol(
        "",
        "P, p",
        "buildings of private partners, size of each",
        "社会资本项目",
        "",
    ),
    Symbol("", r"\alpha", "part of building cost that partners pay", "社会资本比例", "1"),
    Symbol("", r"\eta", "yearly payment to partners", "年度支付率", "1/year"),
    Symbol("uc", r"\kappa", "cost of a seat, a bed, a temporary place", "单位成本", "10k yuan"),
    Symbol("", "z", "what a soft rule asks and does not get", "软约束缺额", "as the rule"),
    Symbol("", r"\theta, D", "target: a share, new seats", "目标值", "as the rule"),
    Symbol("rho", r"\rho", "rural over urban coverage asked", "城乡覆盖率之比", "1"),
    Symbol("", "v", "urban coverage", "城镇覆盖率", "1"),
    Symbol("", r"q, \varepsilon", "share of a sector, its band", "部门比例及幅度", "1"),
    Symbol("", r"\xi", "part of the block's money in a year", "年度比例", "1"),
    Symbol("", r"\Phi", "transfers that a formula gives", "公式分配额", _MONEY),
    Symbol("", r"\phi, \bar\phi", "least and most central support", "中央承担比例", "1"),
    Symbol("", r"\omega_R", "part of the fund that is a reward", "奖励比例", "1"),
    Symbol("", r"\Delta", "settlers won in a block", "新增落户人数", "10k persons"),
    Symbol("", r"\epsilon", "scale of local ceilings", "地方努力程度", "1"),
    Symbol(
        "",
        r"\gamma_p, \gamma_c",
        "earmarked parts of net land revenue",
        "计提比例",
        "1",
    ),
    Symbol("", r"\gamma_T", "earmarked part of general transfers", "计提比例", "1"),
    Symbol(
        "",
        r"\omega, V_r",
        "general part of transfers, transfers received",
        "一般性转移支付",
        _MONEY,
    ),
    Symbol("", r"\nu", "net part of gross land revenue", "土地净收益率", "1"),
    Symbol("", "L", "gross land revenue", "土地出让收入", _MONEY),
    Symbol("", r"\chi", "bonds over a region's share of land revenue", "债券倍数", "1"),
    Symbol("", r"\psi", "rate of the eastern levy", "统筹比例", "1"),
    Symbol("", "e_r", "share in the levy: by migrants and fiscal weakness", "分配份额", "1"),
    Symbol("", "M", "migrants in the base year", "流动人口", "10k persons"),
    Symbol("", "X", "general budget expenditure", "一般公共预算支出", _MONEY),
)
