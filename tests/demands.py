"""Problems whose demanded rules cannot all hold, and what their floors cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from problems import made_up_problem

from hukou_opt.allocation.problem import Problem


def demanding(p: Problem, *rules: str, **modes: str) -> Problem:
    return replace(p, modes={**p.modes, **dict.fromkeys(rules, "hard"), **modes})


def with_parameters(p: Problem, **parameters: float) -> Problem:
    return replace(p, parameters={**p.parameters, **parameters})


def floors(p: Problem) -> np.ndarray:
    """What supported regions are promised, shape (region, block)."""
    rate = p.parameters["central_support_rate"]
    promised: np.ndarray = np.where(p.supported[:, None], rate * p.block_cost, 0.0)
    return promised


def parts(p: Problem) -> np.ndarray:
    """Part of the fund that has come in by the end of each block."""
    return np.array([(p.column(block.last) + 1) / len(p.years) for block in p.blocks])


def least_fund(p: Problem) -> float:
    """Smallest fund that pays all floors in time."""
    return float((floors(p).sum(axis=0).cumsum() / parts(p)).max())


def three_rules(seed: int = 0) -> Problem:
    """Floors, reward and fund: any two can hold, and others are demanded that can hold too."""
    p = made_up_problem(4, 6, 1, seed=seed)
    p = with_parameters(p, public_share_target=0.1, reward_share=0.3, seat_target=0.1)
    p = replace(p, fund=least_fund(p) * 1.001)
    return demanding(p, "support_floor", "performance_reward", "public_share", "seat_target")
