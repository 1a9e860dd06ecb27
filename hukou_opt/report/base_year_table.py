"""The estimated base year as a table: each variable with its low and high beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hukou_opt import __version__
from hukou_opt.errors import DataError, Fault, did_you_mean
from hukou_opt.regions import Regions
from hukou_opt.regions.base_year import CONTRACT
from hukou_opt.regions.fitting import Array
from hukou_opt.regions.methods import read_methods
from hukou_opt.report.base_year_ends import (
    COUNT,
    MEAN,
    Estimates,
    error_width,
    how_formed,
    national_figures,
    spread,
    versions,
)
from hukou_opt.report.latex import latex_escape
from hukou_opt.report.longtable import (
    Column,
    latex_emphasis,
    latex_figure,
    latex_name,
    latex_range,
    latex_unit,
    longtable,
)
from hukou_opt.report.parameter_table import search_hint
from hukou_opt.report.table import MISSING

#: Regions named at each end.
EXTREMES = 2
#: Regions whose figures differ less, in relative terms, have the same figure.
SAME = 1e-9
#: Figures are written with this many digits; from `WHOLE` on without decimals.
DIGITS, WHOLE = 4, 1_000.0


def derived_table(estimates: Estimates) -> pd.DataFrame:
    """List the variables of the base year for the country, with low, high and extreme regions.

    Parameters
    ----------
    estimates : Estimates
        From `estimate_with_ends`.

    Returns
    -------
    DataFrame
        One row per variable, several where it has size classes of cities or years (the first and
        the last): variable, at, unit, national, formed (sum, mean by heads, number of regions),
        low, high, region_low, region_high (median over the regions of the range relative to the
        estimate), extremes, status, range_from, source. Low and high are missing where no
        parameter drives the variable. A relative error of single regions leaves a national sum as
        it is, because that total is published; it shifts a national mean.
    """
    rows = []
    for name in CONTRACT:
        centre, below, above = spread(estimates, name)
        method = read_methods()[name]
        formed = how_formed(estimates.base.data, name)
        national = [national_figures(data, name, formed) for data in versions(estimates, name)]
        width = error_width(estimates, name) if formed.startswith(MEAN) else 0.0
        relative = bool(method.drivers) and formed != COUNT
        for number, (at, values) in enumerate(centre.items()):
            figures = [item[number] for item in national]
            figures += [figures[0] * (1 - width), figures[0] * (1 + width)]
            low, high = (min(figures), max(figures)) if method.drivers else (np.nan, np.nan)
            rows.append(
                {
                    "variable": name,
                    "at": at,
                    "unit": CONTRACT[name][1],
                    "national": figures[0],
                    "formed": formed,
                    "low": low,
                    "high": high,
                    "region_low": _relative(below[at], values) if relative else np.nan,
                    "region_high": _relative(above[at], values) if relative else np.nan,
                    "extremes": _extremes(estimates.regions, values, formed),
                    **_about(estimates, name),
                }
            )
    return pd.DataFrame(rows)


def region_table(estimates: Estimates, region: str) -> pd.DataFrame:
    """List the variables of the base year for one region, with low and high.

    Parameters
    ----------
    estimates : Estimates
        From `estimate_with_ends`.
    region : str
        Code, English or Chinese name.

    Returns
    -------
    DataFrame
        Rows as in `derived_table`: variable, at, unit, value, low, high, status, range_from,
        method, source. Of pairs of regions it shows what ends in the region (`initial_migrants`),
        what leaves it (`initial_destination_share`), or whether it has a partner (`same_cluster`).

    Raises
    ------
    DataError
        If there is no such region.
    """
    place = estimates.base.codes.index(find_region(estimates.regions, region))
    rows = []
    for name in CONTRACT:
        centre, below, above = spread(estimates, name)
        ranged = bool(read_methods()[name].drivers)
        rows += [
            {
                "variable": name,
                "at": at,
                "unit": CONTRACT[name][1],
                "value": values[place],
                "low": below[at][place] if ranged else np.nan,
                "high": above[at][place] if ranged else np.nan,
                **_about(estimates, name),
            }
            for at, values in centre.items()
        ]
    return pd.DataFrame(rows)


def find_region(regions: Regions, wanted: str) -> str:
    """Code of a region given by its code or by a name.

    Raises
    ------
    DataError
        If there is no such region; the nearest name is suggested.
    """
    known: dict[str, str] = {}
    for code in regions.codes:
        for name in (code, *regions.labels.loc[code, ["name_en", "name_zh", "short_zh"]]):
            if str(name):
                known.setdefault(str(name).casefold(), code)
    key = wanted.strip().casefold()
    if key in known:
        return known[key]
    english = [str(name) for name in regions.labels["name_en"]]
    near = did_you_mean(wanted.strip().title(), english)
    raise DataError(Fault(f"region {wanted!r}", f"is not in {regions.name}", near))


def estimate_figure(value: float) -> str:
    """Write an estimate: four digits, whole from a thousand on, a dash where there is none."""
    if np.isnan(value):
        return MISSING
    if abs(value) >= WHOLE:
        return f"{value:,.0f}"
    return np.format_float_positional(value, precision=DIGITS, fractional=False, trim="-")


def derived_to_latex(table: pd.DataFrame, *, region: str = "", experiment: str = "") -> str:
    """LaTeX text of a table of the base year, for array, booktabs and longtable.

    Parameters
    ----------
    table : DataFrame
        From `derived_table` or `region_table`.
    region : str, optional
        Name of the region of a `region_table`.
    experiment : str, optional
        Name of the experiment whose parameters are used; the registry's where empty.
    """
    value = "value" if region else "national"
    columns = [
        Column("Variable", 0.18),
        Column("Value" if region else "National"),
        Column("Range", 0.12),
        Column("Unit", 0.11),
        Column("Status", 0.125),
        Column("Method" if region else "National figure; method", 0.28),
    ]
    lines = []
    for row in table.to_dict("records"):
        ends = [estimate_figure(row[end]) for end in ("low", "high")]
        formed = "" if region else f"{row['formed'].capitalize()}. "
        lines.append(
            [
                latex_name(row["variable"]) + latex_escape(f", {row['at']}" if row["at"] else ""),
                latex_figure(estimate_figure(row[value])),
                latex_figure(MISSING) if MISSING in ends else latex_range(*ends),
                latex_unit(row["unit"]),
                latex_escape(row["status"]),
                latex_escape(formed) + latex_emphasis(row["method"]),
            ]
        )
    of = f"of the base year, {region or 'the country'}"
    with_ = f", parameters of {experiment}" if experiment else ""
    return longtable(
        columns,
        [("", lines)],
        caption=f"Estimates {of}{with_}",
        label="_".join(["base_year", *filter(None, (region.replace(" ", "_"), experiment))]),
        notes=[
            f"{status_sentence(table)}.",
            "Ranges: one driving parameter at a time at the ends of its range.",
            f"hukou-opt {__version__}.",
        ],
    )


def status_sentence(table: pd.DataFrame) -> str:
    """Say in one sentence how many variables there are of each status."""
    each = table.drop_duplicates("variable")
    counts = each["status"].value_counts().to_dict()
    parts = ", ".join(
        f"{counts[status]} {status}"
        for status in ("official", "derived", "assumption")
        if status in counts
    )
    return f"{len(each)} variable{'' if len(each) == 1 else 's'}: {parts}"


def in_a_region(low: float, high: float) -> str:
    """Write how far low and high lie from the estimate in the middle region, in percent."""
    if np.isnan(low):
        return MISSING
    # A rounded zero has no sign.
    ends = [f"{end:+.0f}%" if end else "0%" for end in (round(100 * low), round(100 * high))]
    return " to ".join(dict.fromkeys(ends))


def keep(table: pd.DataFrame, *, status: str = "", search: str = "") -> pd.DataFrame:
    """Keep the variables of a status, or with all words of a search in name, unit or source.

    Raises
    ------
    DataError
        If the status is unknown or no variable is left.
    """
    statuses = list(dict.fromkeys(table["status"]))
    if status and status not in statuses:
        hint = did_you_mean(status, statuses)
        raise DataError(Fault(f"status {status!r}", "no variable of the base year has it", hint))
    searched = table[["variable", "at", "unit", "range_from", "source"]].agg(" ".join, axis=1)
    kept = table["status"].eq(status) if status else table["status"].notna()
    for word in search.casefold().split():
        kept &= searched.str.casefold().str.contains(word, regex=False)
    if not kept.any():
        filters = (("status", status), ("search", search))
        where = ", ".join(f"{kind} {given!r}" for kind, given in filters if given)
        hint = search_hint(search, list(dict.fromkeys(table["variable"])))
        raise DataError(Fault(where, "matches no variable of the base year", hint))
    return table[kept].reset_index(drop=True)


def remarks(estimates: Estimates, one_region: bool) -> list[str]:
    """Say how low and high came about, and what a reader could mistake."""
    lines = [
        "Low and high: one parameter at a time at the ends of its range, all others as they are; "
        "for consistent draws estimate anew with other parameters."
    ]
    if not one_region:
        lines.append(
            "One region: range in the middle region, relative to its estimate. Errors of single "
            "regions leave a national sum as it is, because that total is published."
        )
    if estimates.refused:
        lines.append(f"No base year is possible at: {', '.join(estimates.refused)}.")
    return lines


def _about(estimates: Estimates, name: str) -> dict[str, str]:
    attributes = estimates.base.data[name].attrs
    return {
        "status": str(attributes["status"]),
        "range_from": " ".join(read_methods()[name].drivers),
        "method": read_methods()[name].text,
        "source": str(attributes["source"]),
    }


def _relative(ends: Array, values: Array) -> float:
    """Median over the regions of an end's distance from the estimate, relative to it."""
    some = values != 0
    if not some.any():
        return float("nan")
    return float(np.median((ends[some] - values[some]) / np.abs(values[some])))


def _extremes(regions: Regions, values: Array, formed: str) -> str:
    """Name the regions at both ends, or those for which a yes or no is the rarer answer."""
    names = [str(name) for name in regions.labels["name_en"]]
    if formed == COUNT:
        yes = [name for name, value in zip(names, values, strict=True) if value > 0]
        no = [name for name, value in zip(names, values, strict=True) if not value > 0]
        fewer, word = (no, "no") if len(no) < len(yes) else (yes, "yes")
        return f"{word}: {', '.join(fewer)}" if fewer else "the same everywhere"
    if np.ptp(values) <= SAME * np.abs(values).max():
        return "the same everywhere"
    order = np.argsort(values, kind="stable")
    ends = (("lowest", order[:EXTREMES]), ("highest", order[::-1][:EXTREMES]))
    return "; ".join(
        word + " " + ", ".join(f"{names[place]} {estimate_figure(values[place])}" for place in end)
        for word, end in ends
    )
