"""Prices of levers and rules with their ranges, and the range of every published cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from hukou_opt.errors import Fault, ResultError
from hukou_opt.report.table import Kind, Table, notes, require_allocation, title
from hukou_opt.result import Result
from hukou_opt.vocabulary import label

#: Label of a sum in the group ``ranges``.
ALL = "all"
_WORDS: Mapping[str, tuple[str, str]] = {
    "levers": ("what one more unit is worth, and how far", "单位变动的影子价格及其适用范围"),
    "prices": ("shadow prices of the rules", "各规则的影子价格"),
    "ranges": (
        "smallest and largest value of every cell over equally good answers",
        "同等优劣方案下各单元的最小值与最大值",
    ),
    "lever": ("Lever", "政策杠杆"),
    "rule": ("Rule", "规则"),
    "level": ("Level", "目标层级"),
    "unit": ("Unit", "单位"),
    "amount": ("Today", "现值"),
    "price": ("Fall per unit", "每单位降幅"),
    "price_low": ("Fall per unit, least", "每单位降幅（低）"),
    "price_high": ("Fall per unit, most", "每单位降幅（高）"),
    "one_percent": ("Fall of the level for 1% more", "增加1%时的降幅"),
    "less": ("Holds for less, down to", "适用下限"),
    "more": ("Holds for more, up to", "适用上限"),
    "unique": ("Unique (1) or not (0)", "是否唯一"),
    "every": ("Fall if every row gives way by one", "各行均放宽一单位的降幅"),
    "largest": ("Dearest row", "最大单行价格"),
    "rows": ("Rows", "行数"),
    "priced": ("Rows with a price", "有价格的行数"),
    "region": ("Region", "地区"),
    "years": ("Years", "年份"),
    "sector": ("Sector", "部门"),
    "published": ("Published", "发布值"),
    "lowest": ("Lowest", "最小值"),
    "highest": ("Highest", "最大值"),
    "unproved": ("Not reached", "未达到部分"),
    "all": ("All", "合计"),
}


def _word(key: str, lang: str) -> str:
    return _WORDS[key][0 if lang == "en" else 1]


def _group(result: Result, name: str) -> xr.Dataset:
    require_allocation(result)
    if name not in result:
        raise ResultError(
            Fault(
                f"result {result.name!r}",
                f"has no group /{name}",
                "make it with `hukou-opt explain RESULT --save FILE`",
            )
        )
    return result[name]


def _caption(result: Result, name: str, lang: str) -> str:
    if lang == "en":
        return title(result, _word(name, lang))
    return f"{result.attrs['title_zh']}：{_word(name, lang)}"


def _table(
    result: Result,
    name: str,
    lang: str,
    index: pd.MultiIndex,
    columns: Mapping[str, np.ndarray],
    kinds: tuple[Kind, ...],
    said: tuple[str, ...] = (),
) -> Table:
    frame = pd.DataFrame(
        np.column_stack([np.asarray(values, dtype=float) for values in columns.values()]),
        index=index,
        columns=pd.Index([_word(key, lang) for key in columns]),
    )
    tidy = index.to_frame(index=False).assign(
        **{key: np.asarray(values, dtype=float) for key, values in columns.items()}
    )
    return Table(
        name,
        _caption(result, name, lang),
        frame,
        kinds,
        (),
        tidy,
        (),
        True,
        (*said, *notes(result)),
    )


def _titles(group: xr.Dataset, lang: str) -> list[str]:
    return [str(text) for text in group[f"title_{lang}"].values]


def lever_table(result: Result, lang: str = "en") -> Table:
    """Price of every lever, and of every rule as a whole, in the first level that it moves.

    Parameters
    ----------
    result : Result
        A result that was explained.
    lang : {"en", "zh"}, optional
        Language of titles and headers.

    Raises
    ------
    ResultError
        If the result has no proved allocation or was not explained.
    """
    group = _group(result, "levers")
    group = group.isel(lever=np.flatnonzero(group["level"].values != ""))
    less, more = group["price_less"].values, group["price_more"].values
    # Where no range was looked for, the price of the solve itself stands for both sides.
    at = [list(group["level_name"].values).index(level) for level in group["level"].values]
    solved = group["by_level"].values[np.arange(len(at)), at] if at else np.array([])
    less, more = np.where(np.isnan(less), solved, less), np.where(np.isnan(more), solved, more)
    amount = group["amount"].values
    index = pd.MultiIndex.from_arrays(
        [
            _titles(group, lang),
            [str(unit) for unit in group["unit"].values],
            [str(level) for level in group["level"].values],
        ],
        names=[_word(key, lang) for key in ("lever", "unit", "level")],
    )
    columns = {
        "amount": amount,
        "price_low": np.minimum(less, more),
        "price_high": np.maximum(less, more),
        "one_percent": 0.01 * amount * more,
        "less": -group["holds_less"].values,
        "more": group["holds_more"].values,
        "unique": group["unique"].values,
    }
    kinds: tuple[Kind, ...] = ("tenths", "small", "small", "index", "small", "small", "whole")
    said = (
        "A price is the fall of the level per unit more of the lever, earlier levels held; it is "
        "what the linear program says, without an answer of the stock-flow model.",
        "Where the price is not unique the least and the most are those of a little more and a "
        "little less.",
    )
    return _table(result, "levers", lang, index, columns, kinds, said)


def price_table(result: Result, lang: str = "en") -> Table:
    """Price of every rule in every level, and its dearest row.

    Parameters
    ----------
    result : Result
        A run with an allocation.
    lang : {"en", "zh"}, optional
        Language of titles and headers.

    Raises
    ------
    ResultError
        If the result has no proved allocation, or was made before prices of rules were kept.
    """
    group = _group(result, "prices")
    group = group.isel(price=np.flatnonzero(group["priced"].values > 0))
    index = pd.MultiIndex.from_arrays(
        [
            [str(level) for level in group["level"].values],
            _titles(group, lang),
            [str(unit) for unit in group["unit"].values],
            [str(where) for where in group["where"].values],
        ],
        names=[*(_word(key, lang) for key in ("level", "rule", "unit")), _word("largest", lang)],
    )
    columns = {
        "every": group["value"].values,
        "price": group["largest"].values,
        "priced": group["priced"].values,
        "rows": group["rows"].values,
    }
    return _table(result, "prices", lang, index, columns, ("small", "small", "whole", "whole"))


def range_table(result: Result, lang: str = "en") -> Table:
    """Published value, smallest and largest value of every cell, 100m yuan.

    Parameters
    ----------
    result : Result
        A result that was explained.
    lang : {"en", "zh"}, optional
        Language of titles and headers.

    Raises
    ------
    ResultError
        If the result has no proved allocation or was not explained.
    """
    group = _group(result, "ranges")
    regions = result["regions"]
    names = {
        str(code): str(name)
        for code, name in zip(regions["region"].values, regions[f"name_{lang}"].values, strict=True)
    }
    every = _word("all", lang)
    index = pd.MultiIndex.from_arrays(
        [
            [names.get(str(code), every) for code in group["region"].values],
            [every if block == ALL else str(block) for block in group["block"].values],
            [
                every if sector == ALL else label(str(sector), lang)
                for sector in group["sector"].values
            ],
        ],
        names=[_word(key, lang) for key in ("region", "years", "sector")],
    )
    columns = {key: group[key].values for key in ("published", "lowest", "highest", "unproved")}
    columns["unique"] = group["unique"].values
    epsilon = float(group.attrs["epsilon"])
    within = (
        "the limits within which they were held"
        if epsilon == 0
        else f"{epsilon:.3g} of its optimum"
    )
    said = (
        f"No answer that keeps every level within {within} lies outside lowest and highest: dual "
        "values prove both. Not reached: by how much the proved range is wider than the answers "
        "that were found.",
        "A cell is unique where its range is narrower than 0.5 % of it or 1 100m yuan.",
    )
    kinds: tuple[Kind, ...] = ("tenths", "tenths", "tenths", "tenths", "whole")
    return _table(result, "ranges", lang, index, columns, kinds, said)
