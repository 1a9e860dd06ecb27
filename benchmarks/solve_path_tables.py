"""What `solve_path.py` found, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

#: Phases of one level; warm is after a change of the budget.
PHASES = ("build", "load", "solve", "warm")
#: Optima of two paths may differ by this, relative to 1 at least.
SAME = 1e-6


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with figures to the right."""
    head = list(head)
    lines = [head, ["---", *("---:" for _ in head[1:])], *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seconds(value: float) -> str:
    """Seconds with two figures that count; a dash where there are none."""
    if pd.isna(value):
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def ratio(value: float) -> str:
    """How many times as long."""
    return "–" if pd.isna(value) else f"{value:,.1f}"


def check_optima(found: pd.DataFrame) -> None:
    """All paths and repeats have the same optimum, before and after the change of the budget.

    Raises
    ------
    ValueError
        If two paths differ; then they have not solved the same program.
    """
    if "value" not in found:
        return
    values = found.dropna(subset="value")
    for key, group in values.groupby(["regions", "phase"]):
        least, most = group["value"].min(), group["value"].max()
        if most - least > SAME * max(1.0, abs(most)):
            raise ValueError(f"optima differ at {key}: {least!r} to {most!r}")


def level_tables(found: pd.DataFrame) -> str:
    """Medians of the repeats by size, path and phase, and the ratios between paths."""
    check_optima(found)
    wall = _by_phase(found, "seconds")
    medians = wall.groupby(level=["regions", "path"], sort=False).median()
    peak = (
        found[found["phase"].isin(("start", "build", "load", "solve"))]
        .groupby(["regions", "path", "repeat"], sort=False)["memory"]
        .max()
        .groupby(level=["regions", "path"], sort=False)
        .median()
    )
    lines = [
        [
            f"{regions:,}",
            path,
            *(
                seconds(row[phase])
                for phase in ("build", "load", "ready", "solve", "warm", "again")
            ),
            f"{peak.get((regions, path), float('nan')):,.0f}",
        ]
        for (regions, path), row in medians.iterrows()
    ]
    head = "regions,path,build s,load s,both,first solve,warm re-solve,all again,peak MB"
    return "\n\n".join(
        part for part in (markdown(head.split(","), lines), _ratios(found), _sizes(found)) if part
    )


def _by_phase(found: pd.DataFrame, clock: str) -> pd.DataFrame:
    """Time of every phase, one line a run."""
    timed = found[found["phase"].isin(PHASES)]
    table = timed.pivot_table(
        index=["regions", "repeat", "path"], columns="phase", values=clock, sort=False
    ).reindex(columns=list(PHASES))
    table["ready"] = table["build"] + table["load"]
    # Where nothing is kept, a changed budget is the same work once more.
    table["again"] = table["ready"] + table["solve"]
    return table


def _compared(table: pd.DataFrame, path: str) -> pd.DataFrame:
    """Ratios of a path to ours, medians of those within a repeat, when both had the machine."""
    own, other = table.xs("tiled", level="path"), table.xs(path, level="path")
    ratios = pd.DataFrame(
        {
            "ready": other["ready"] / own["ready"],
            "first": (other["ready"] + other["solve"]) / (own["ready"] + own["solve"]),
            "again": other["again"] / own["warm"],
        }
    )
    return ratios.groupby(level="regions", sort=False).median()


def _ratios(found: pd.DataFrame) -> str:
    """How many times as long as our path the others take, and a re-solve from nothing.

    By the clock on the wall and by the processor's, which other work on the machine moves less.
    """
    if "tiled" not in set(found["path"]):
        return ""
    clocks = [_by_phase(found, clock) for clock in ("seconds", "cpu")]
    lines = []
    for path in dict.fromkeys(found["path"]):
        wall, processor = (_compared(table, path) for table in clocks)
        for regions in wall.index:
            pairs = [
                f"{ratio(wall.loc[regions, name])} / {ratio(processor.loc[regions, name])}"
                for name in wall.columns
            ]
            lines.append([f"{regions:,}", path, *pairs])
    lines.sort(key=lambda line: int(line[0].replace(",", "")))
    head = "regions,path,build + load over ours,with first solve,all again over warm re-solve"
    return markdown(head.split(","), lines) + "\n\nWall / processor time."


def _sizes(found: pd.DataFrame) -> str:
    sizes = found[found["phase"] == "size"].drop_duplicates("regions")
    names = ("rows", "columns", "nonzeros")
    lines = [
        [f"{row['regions']:,}", *(f"{int(row[name]):,}" for name in names)]
        for _, row in sizes.iterrows()
    ]
    return markdown(("regions", *names), lines)


def objective_tables(found: pd.DataFrame) -> str:
    """Whole solves: time and memory, by level and by part."""
    tables = []
    for regions, run in found.groupby("regions", sort=False):
        end = run[run["phase"] == "whole"].iloc[-1]
        answer = run[run["phase"] == "answer"]
        words = "not finished"
        if len(answer):
            last = answer.iloc[-1]
            words = ", ".join(
                (
                    "proved" if last["proved"] else "NOT PROVED",
                    f"{int(last['solves'])} certificates",
                    f"{int(last['cuts'])} rows of indices",
                    f"{int(last['fallbacks'])} fallbacks",
                    f"ties {'broken' if last['ties_broken'] else 'left'}",
                )
            )
        size = (
            f"{regions:,} regions: {end['seconds']:,.0f} s ({end['cpu']:,.0f} s of the processor)"
        )
        tables.append(
            f"{size}, at most {end['memory']:,.0f} MB; {words}. Seconds of the processor:"
        )
        levels = run[run["phase"] == "level"].groupby("level", sort=False)["cpu"]
        tables.append(
            markdown(
                ("level", "solves", "s"),
                [[str(k), str(len(v)), seconds(float(v.sum()))] for k, v in levels],
            )
        )
        parts = run[run["phase"] == "part"]
        rest = end["cpu"] - parts["cpu"].sum()
        lines = [[r["part"], f"{int(r['calls'])}", seconds(r["cpu"])] for _, r in parts.iterrows()]
        tables.append(markdown(("part", "calls", "s"), [*lines, ["rest", "", seconds(rest)]]))
    return "\n\n".join(tables)
