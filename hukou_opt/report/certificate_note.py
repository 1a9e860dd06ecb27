"""What is proved of a result, in one sentence under every table; no table without the proof."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.errors import Fault
from hukou_opt.result import Result

#: Largest residual and relative gap of a certificate that holds; those of the solve.
LIMIT = 1e-6
#: What a certificate recomputes beside the gap.
RESIDUALS = ("primal_residual", "dual_residual", "complementarity")
#: Letters of a hash that are printed.
SHORT = 12


def proof_faults(result: Result) -> list[Fault]:
    """What is missing for a table of an allocation: the mark, and figures that hold.

    Parameters
    ----------
    result : Result
        A run; one without allocation needs no proof.
    """
    if not result.has_allocation:
        return []
    where = f"result {result.name!r}"
    fix = "no table is made from it; run the experiment again"
    faults = []
    if not result.certified:
        faults.append(Fault(where, "its allocation has no valid certificate (certified = 0)", fix))
    proof = result["certificate"]
    if not proof.sizes.get("solve", 0):
        faults.append(Fault(where, "its certificate lists no solve", fix))
    for name in (*RESIDUALS, "relative_gap"):
        figures = proof[name].values
        for solve in np.flatnonzero(~(figures <= LIMIT)):
            faults.append(
                Fault(
                    f"{where}, solve {str(proof['solve'].values[solve])!r}",
                    f"{name.replace('_', ' ')} is {figures[solve]:.3g}, limit {LIMIT:g}",
                    fix,
                )
            )
    return faults


def _exact(proof: xr.Dataset) -> tuple[int, float, str]:
    """Number of exact replays, their largest gap, and the hash of the last program."""
    if "exact_gap" not in proof:
        return 0, float("nan"), ""
    made = np.flatnonzero(np.isfinite(proof["exact_gap"].values))
    if not made.size:
        return 0, float("nan"), ""
    gap = float(proof["exact_gap"].values[made].max())
    return int(made.size), gap, str(proof["program_sha256"].values[made[-1]])[:SHORT]


def certificate_note(result: Result, lang: str = "en") -> str:
    """What is proved of an allocation, in one sentence.

    Parameters
    ----------
    result : Result
        A run with an allocation.
    lang : {"en", "zh"}, optional
        Language.
    """
    proof = result["certificate"]
    number = proof.sizes["solve"]
    residual = max(float(proof[name].max()) for name in RESIDUALS)
    gap = float(proof["relative_gap"].max())
    exact, exact_gap, program = _exact(proof)
    rows = int(proof.attrs.get("audited_rows", 0))
    held = float(proof.attrs.get("answer_residual", float("nan")))
    if lang == "zh":
        parts = [
            f"证明：{number} 个线性规划由数值复核，最大残差 {residual:.1e}，最大相对间隙 {gap:.1e}",
            f"公布方案的 {exact} 个经精确有理数复算，最大间隙 {exact_gap:.1e}，程序指纹 {program}"
            if exact
            else "未作精确有理数复算",
        ]
        if rows:
            parts.append(f"{rows:,} 行约束与输入表逐行核对，答案最大偏差 {held:.1e}")
        return "。".join([*parts, f"结果指纹 {result.identity[:SHORT]}。"])
    parts = [
        f"Certificate: {number} levels recomputed from their numbers, largest residual "
        f"{residual:.1e}, largest relative gap {gap:.1e}",
        f"{exact} of them, those published, replayed in exact arithmetic, largest gap "
        f"{exact_gap:.1e}, last program {program}"
        if exact
        else "none replayed in exact arithmetic",
    ]
    if rows:
        parts.append(
            f"{rows:,} rows compared with the input tables, largest violation by the answer "
            f"{held:.1e}"
        )
    return "; ".join(parts) + "."
