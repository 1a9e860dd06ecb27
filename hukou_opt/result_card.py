"""The card of a result in a notebook, and its one line in a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from hukou_opt.vocabulary import label

if TYPE_CHECKING:
    from hukou_opt.result import Result

#: Regions that the card lists by central money.
TOP_REGIONS = 8
#: What is said of a model that is not the shipped one.
MODEL_STATES = {
    "modified": "modified: not the model that ships with the toolkit",
    "foreign": "the user's own, not the toolkit's",
}


def model_notes(result: Result) -> list[tuple[str, str]]:
    """Return what must be known of the model: name and text; nothing of the shipped one."""
    state = MODEL_STATES.get(str(result.attrs.get("model_state", "")))
    if state is None:
        return []
    notes = [("model", f"{result.attrs['model']}: {state}")]
    if "checks" in result:
        made = np.isfinite(result["checks"]["worst"].values)
        text = f"{int(made.sum())} made"
        if not made.all():
            text += f", {int((~made).sum())} not made: the model lacks variables that they read"
        notes.append(("checks", text))
    return notes


def level_notes(result: Result) -> list[tuple[str, str]]:
    """Levels that were met by making people worse off, with what all could have had."""
    # A file from before levels were checked has no such figures.
    if "levels" not in result or "mean_without" not in result["levels"]:
        return []
    levels = result["levels"]
    return [
        (
            "levelled down",
            f"{name}: {float(mean):.4g} on the mean, {float(without):.4g} could be had without the "
            "level and with nobody worse off",
        )
        for name, mean, without in zip(
            levels["level"].values,
            levels["levelled_mean"].values,
            levels["mean_without"].values,
            strict=True,
        )
        if np.isfinite(without)
    ]


def status(result: Result) -> list[tuple[str, bool, str]]:
    """Return what must hold of a run: name, whether it does, and in words."""
    rounds = result.attrs["rounds"]
    rows = []
    if result.has_allocation:
        rows.append(
            (
                "certificate",
                result.certified,
                _proved(result) if result.certified else "failed: not proved",
            )
        )
        rows.append(
            (
                "convergence",
                result.converged,
                f"at rest after {rounds} rounds"
                if result.converged
                else f"not converged after {rounds} rounds",
            )
        )
    return rows


def _proved(result: Result) -> str:
    """What the certificate covers, in words."""
    proof, words = result["certificate"], "every solve recomputed and proved"
    if "audited_rows" in proof.attrs:
        words += f", {proof.attrs['audited_rows']:,} rows compared with the tables"
    exact = int(np.isfinite(proof["exact_gap"].values).sum()) if "exact_gap" in proof else 0
    return f"{words}, {exact} levels replayed exactly" if exact else words


def key_figures(result: Result) -> list[tuple[str, str]]:
    """Return the run's few leading figures, as name and text with unit."""
    path = result["trajectory"]
    years = path["year"].values
    first, last = int(years[0]), int(result.attrs.get("last_year", years[-1]))
    nation = path[["urban_population", "rural_population", "urban_hukou_residents"]].sum("region")
    people = nation["urban_population"] + nation["rural_population"]
    figures = []
    for name, stock in (
        ("urban_share", "urban_population"),
        ("hukou_rate", "urban_hukou_residents"),
    ):
        share = nation[stock] / people
        start, end = float(share.sel(year=first)), float(share.sel(year=last))
        figures.append((label(name), f"{start:.1%} ({first}) → {end:.1%} ({last})"))
    if result.has_allocation:
        allocation = result["allocation"]
        used = float(allocation["central_transfers"].sum())
        cost = float(allocation["certified_cost"].sum())
        unfunded = float(allocation["unfunded"].sum())
        fund = float(result.attrs["central_fund"])
        figures.append(("Central fund used", f"{used:,.0f} of {fund:,.0f} (100m yuan)"))
        share_text = f" ({unfunded / cost:.1%} of cost)" if cost > 0 else ""
        figures.append(("Certified cost without money", f"{unfunded:,.0f} (100m yuan){share_text}"))
        for service in allocation["service"].values:
            built = float(allocation["starts"].sel(service=service).sum())
            figures.append((f"{label(str(service))} started", f"{built:,.1f} (10k)"))
    return figures


def line(result: Result) -> str:
    """One line: experiment, regions, years, status."""
    path = result["trajectory"]
    years = path["year"].values
    marks = ", ".join(f"{name}: {'yes' if holds else 'NO'}" for name, holds, _ in status(result))
    return (
        f"<Result {result.name!r}: {path.sizes['region']} regions, {int(years[0])}-{int(years[-1])}"
        + (f", {marks}" if marks else ", no allocation")
        + f", identity {result.identity[:12]}>"
    )


def summary(result: Result) -> str:
    """Text of a few lines for the command line."""
    lines = [str(result.attrs["title_en"])]
    width = max(len(name) for name, _ in key_figures(result))
    lines += [f"  {name:<{width}}  {text}" for name, text in key_figures(result)]
    lines += [f"  {name:<{width}}  {text}" for name, _, text in status(result)]
    notes = [*model_notes(result), *level_notes(result)]
    lines += [f"  {name:<{width}}  {text}" for name, text in notes]
    return "\n".join(lines)


def card(result: Result) -> str:
    """HTML card: title, status, key figures, gaps, regions with most central money."""
    parts = [
        '<div style="border:1px solid #bbb;border-radius:4px;padding:0.6em 1em;max-width:60em">',
        f"<h3 style='margin:0.2em 0'>{escape(str(result.attrs['title_en']))}</h3>",
        f"<div>{escape(str(result.attrs['title_zh']))} · <code>{escape(result.name)}</code></div>",
    ]
    for name, holds, text in status(result):
        colour = "#1a7f37" if holds else "#b42318"
        mark = "✓" if holds else "✗"
        parts.append(
            f"<div style='color:{colour}'>{mark} <b>{escape(name)}</b>: {escape(text)}</div>"
        )
    for name, text in [*model_notes(result), *level_notes(result)]:
        parts.append(f"<div style='color:#b42318'><b>{escape(name)}</b>: {escape(text)}</div>")
    parts.append(_table(["", ""], [list(row) for row in key_figures(result)]))
    if "levels" in result:
        parts += ["<b>Levels, in order</b>", _levels(result)]
    if "gaps" in result:
        parts += ["<b>Gaps</b>", _gaps(result)]
    if result.has_allocation:
        parts += ["<b>Most central money (100m yuan)</b>", _top(result)]
    parts.append(
        f"<div style='color:#777'>identity <code>{result.identity[:16]}</code></div></div>"
    )
    return "".join(parts)


def _levels(result: Result) -> str:
    """What each level reached, and what later ones have given up of it."""
    levels = result["levels"]
    columns = [name for name in ("value", "final", "recomputed", "given_up") if name in levels]
    rows = [
        [str(name), *(_figure(float(levels[column].values[at])) for column in columns)]
        for at, name in enumerate(levels["level"].values)
    ]
    return _table(["", *(column.replace("_", " ") for column in columns)], rows)


def _gaps(result: Result) -> str:
    gaps = result["gaps"]
    cases = [str(case) for case in gaps["case"].values]
    rows = []
    for measure in gaps["measure"].values:
        cells = gaps.sel(measure=measure)
        rows.append(
            [f"{cells['label_en'].item()} ({cells['unit'].item()})"]
            + [_figure(float(cells["value"].sel(case=case))) for case in cases]
        )
    return _table(["", *(label(case) for case in cases)], rows)


def _top(result: Result) -> str:
    money = result["allocation"]["central_transfers"].sum(["sector", "year"])
    names = result["regions"]["name_en"]
    order = np.argsort(-money.values, kind="stable")[:TOP_REGIONS]
    rows = [[str(names.values[at]), f"{money.values[at]:,.0f}"] for at in order]
    years = result["allocation"]["year"].values
    return _table(["", f"{int(years[0])}–{int(years[-1])}"], rows)


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4g}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th style='text-align:right'>{escape(item)}</th>" for item in head)
    body = "".join(
        "<tr>"
        + f"<td style='text-align:left'>{escape(row[0])}</td>"
        + "".join(f"<td style='text-align:right'>{escape(item)}</td>" for item in row[1:])
        + "</tr>"
        for row in rows
    )
    header = f"<tr>{cells}</tr>" if any(head) else ""
    return f"<table>{header}{body}</table>"
