"""What can be changed so that demanded rules hold: levers of the plan, and the rules themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hukou_opt.allocation.infeasible.families import BY_NAME, TOGETHER
from hukou_opt.allocation.problem import SOFT_RULES, Problem
from hukou_opt.allocation.rules import RULES
from hukou_opt.errors import ExperimentError, Fault, did_you_mean
from hukou_opt.parameters import load_parameters

#: Prefix of the lever that makes a demanded rule law: it comes first, and falls short by the least.
RULE = "rule:"


@dataclass(frozen=True)
class Lever:
    """One thing that a plan can change.

    Parameters
    ----------
    name : str
        As typed, ``fund``.
    title, title_zh : str
        In the policy's words.
    parameter : str
        Name in the registry; empty for a rule that becomes law.
    up : bool
        Whether raising it makes demands easier.
    whole : bool
        Whether it takes whole numbers only: years.
    linear : bool
        Whether rows and bounds follow it in a straight line with the same coefficients.
    also : tuple of str
        Rules that depend on the parameter without reading it themselves.
    """

    name: str
    title: str
    title_zh: str
    parameter: str
    up: bool = True
    whole: bool = False
    linear: bool = True
    also: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """Rule that the lever makes law; empty for a lever with a parameter."""
        return self.name.removeprefix(RULE) if self.name.startswith(RULE) else ""

    @property
    def unit(self) -> str:
        """Unit of the parameter; empty for shares and rules."""
        unit = load_parameters().rows[self.parameter].unit if self.parameter else "1"
        return "" if unit == "1" else unit

    @property
    def families(self) -> frozenset[str]:
        """Families of rules that the lever changes."""
        if self.rule:
            return frozenset([self.rule])
        reading = {
            TOGETHER.get(rule.name, rule.key) for rule in RULES if self.parameter in rule.parameters
        }
        return frozenset(reading | set(self.also))

    def value(self, p: Problem) -> float:
        """Its present value, in the registry's unit; 1 for a rule (all of what it asks)."""
        if self.rule:
            return 1.0
        return p.fund if self.parameter == "central_fund_total" else p.parameters[self.parameter]

    def in_range(self, value: float) -> bool:
        """Whether the registry's range holds a value."""
        if self.rule:
            return True
        row = load_parameters().rows[self.parameter]
        return row.low <= value <= row.high

    def applies(self, p: Problem) -> bool:
        """Whether the problem has anything that the lever changes."""
        if self.rule:
            return p.modes[self.rule] == "hard"
        if self.parameter in ("local_effort", "bonds_per_year", "east_levy_share"):
            # Ceilings are scaled; nothing can be made of a ceiling of 0.
            return self.value(p) > 0
        return True


LEVERS: Mapping[str, Lever] = {
    lever.name: lever
    for lever in (
        Lever("fund", "central fund", "中央基金", "central_fund_total"),
        Lever("bonds", "city bonds a year", "每年城市专项债", "bonds_per_year"),
        Lever(
            "local",
            "earmarks of provinces and cities (1: the plan's)",
            "省市计提力度（1为方案规定）",
            "local_effort",
            also=("block_money",),
        ),
        Lever(
            "levy",
            "eastern levy on land revenue",
            "东部土地收入统筹比例",
            "east_levy_share",
            also=("block_money",),
        ),
        Lever("teachers", "new teacher posts", "新增教师编制", "teacher_posts"),
        Lever(
            "build_rate",
            "building starts a year over standing capacity",
            "每年新开工占既有能力的比例",
            "build_rate_limit",
            also=("places_hukou_first",),
        ),
        Lever(
            "temporary",
            "temporary places over urban seats",
            "临时学位占城镇学位的比例",
            "temporary_place_limit",
            also=("places_hukou_first",),
        ),
        Lever(
            "seats",
            "new urban seats by the target year",
            "目标年份城镇新增学位",
            "seat_target",
            up=False,
        ),
        Lever(
            "seat_year",
            "target year of the new seats",
            "新增学位目标年份",
            "seat_target_year",
            whole=True,
            linear=False,
        ),
        Lever(
            "public_share",
            "share of migrant children in public schools",
            "随迁子女公办学校就读比例",
            "public_share_target",
            up=False,
        ),
        Lever(
            "public_share_year",
            "target year of the public-school share",
            "公办就读比例目标年份",
            "public_share_target_year",
            whole=True,
            linear=False,
        ),
        Lever(
            "rural_level",
            "rural over urban coverage in the last year",
            "末年农村与城镇服务覆盖率之比",
            "rural_level_target",
            up=False,
            linear=False,
        ),
        Lever(
            "support_rate",
            "central share of the certified cost of supported regions",
            "中央对受支持地区核定成本的承担比例",
            "central_support_rate",
            up=False,
        ),
        Lever(
            "reward",
            "part of the fund that follows settlers",
            "按落户人数奖励的基金比例",
            "reward_share",
            up=False,
            linear=False,
        ),
        Lever(
            "support_ceiling",
            "highest central share in supported regions",
            "中央对受支持地区承担比例上限",
            "central_support_ceiling",
        ),
        Lever(
            "other_ceiling",
            "highest central share in other regions",
            "中央对其他地区承担比例上限",
            "other_support_ceiling",
        ),
        *(
            Lever(
                f"{RULE}{name}",
                f"{BY_NAME[name].title}: law instead of hard",
                f"{BY_NAME[name].title_zh}：由必须满足改为优先目标",
                "",
                up=False,
            )
            for name in SOFT_RULES
        ),
    )
}
#: Demanded rules whose uniform lowering is a parameter of the plan.
TARGETS: Mapping[str, str] = {
    "support_floor": "support_rate",
    "public_share": "public_share",
    "seat_target": "seats",
}


def levers_named(names: Collection[str]) -> tuple[Lever, ...]:
    """Levers by name.

    Raises
    ------
    ExperimentError
        For names that are unknown, all at once.
    """
    faults = [
        Fault(f"repair {name!r}", "is no lever", did_you_mean(name, list(LEVERS)))
        for name in names
        if name not in LEVERS
    ]
    if faults:
        raise ExperimentError(faults)
    return tuple(LEVERS[name] for name in dict.fromkeys(names))


def changed(p: Problem, values: Mapping[str, float]) -> Problem:
    """The problem with some levers at other values.

    Parameters
    ----------
    p : Problem
        The problem.
    values : mapping of str to float
        New value by the lever's name, in the registry's unit; of a rule that becomes law the value
        is not looked at.
    """
    for name, value in values.items():
        p = _one(p, LEVERS[name], value)
    return p


def _one(p: Problem, lever: Lever, value: float) -> Problem:
    if lever.rule:
        return replace(p, modes={**p.modes, lever.rule: "law"})
    old = lever.value(p)
    parameters = {**p.parameters, lever.parameter: value}
    if lever.parameter == "central_fund_total":
        return replace(p, parameters=parameters, fund=value)
    if lever.parameter == "bonds_per_year":
        return replace(
            p,
            parameters=parameters,
            bond_total=p.bond_total * (value / old),
            bond_ceiling=p.bond_ceiling * (value / old),
        )
    if lever.parameter == "local_effort":
        return replace(p, parameters=parameters, local_ceiling=p.local_ceiling * (value / old))
    if lever.parameter == "east_levy_share":
        return replace(p, parameters=parameters, levy_ceiling=p.levy_ceiling * (value / old))
    return replace(p, parameters=parameters)


def relative(lever: Lever, p: Problem, value: float) -> float:
    """Size of a change: relative to the present value, years relative to all decision years.

    A lever at 0 is measured by the registry's highest value.
    """
    old = lever.value(p)
    if lever.whole:
        return abs(value - old) / len(p.years)
    return abs(value - old) / measure(lever, p)


def measure(lever: Lever, p: Problem) -> float:
    """What a change of the lever counts as 1."""
    old = abs(lever.value(p))
    if old > 0 or lever.rule:
        return old or 1.0
    return load_parameters().rows[lever.parameter].high


def outward(lever: Lever, value: float, digits: int = 4) -> float:
    """The value rounded to a few digits, away from what does not hold."""
    if lever.whole or value <= 0 or not np.isfinite(value):
        return float(np.ceil(value)) if lever.whole else max(value, 0.0)
    step = 10.0 ** (int(np.floor(np.log10(value))) + 1 - digits)
    steps = value / step
    rounded = np.ceil(steps - 1e-6) if lever.up else np.floor(steps + 1e-6)
    return float(f"{rounded * step:.{digits}g}")
