"""Prices and ranges in sentences, English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hukou_opt.result import Result

SAVED: Mapping[str, str] = {"en": "Saved to", "zh": "已保存至"}
WRITTEN: Mapping[str, str] = {"en": "Written to", "zh": "已写入"}
#: Part of a range, 100m yuan, that no answer reaches and that is worth saying.
APART = 1.0

_SAY: Mapping[str, Mapping[str, str]] = {
    "en": {
        "prices": "PRICES (linear program alone, earlier levels held):",
        "idle": "  Moves no level: {titles}.",
        "joint": "; ",
        "lever": "{title}: one unit more ({unit}) {moves} {name} ({meaning}) by {price}",
        "rule": "{title}: one unit more in every row ({unit}) {moves} {name} by {price}",
        "lowers": "lowers",
        "raises": "raises",
        "share": "; 1 % more by {share:.2%} of it",
        "between": "{low:.3g} to {high:.3g}",
        "unique": "; unique",
        "not_unique": "; NOT unique: the least is for a little more, the most for a little less",
        "span": "; holds from {down:+.4g}{first} to {up:+.4g}{second}.",
        "least": " at least",
        "no_span": "; no range was looked for.",
        "check": "CHECK (1 % more of the central fund):",
        "no_check": "  The fund has no price.",
        "within": "within the range",
        "outside": "outside the range, where the price no longer tells the fall",
        "checked": "  {more:,.0f} 100m yuan more, {where}: {name} falls by {told:.6g} by the "
        "price, by {found:.6g} when solved again.",
        "model": "  With the model, whose needs answer, all levels solved anew: by {model:.6g}.",
        "cells": "CELLS: {unique} of {count} are unique (the widest of them {widest:.2g} 100m "
        "yuan wide).",
        "cell": "  {labels}: {value}, could be {low} to {high}",
        "apart": " ({apart:.1f} of it not reached by any answer found)",
        "all": "all",
        "space": ", ",
    },
    "zh": {
        "prices": "影子价格（仅线性规划，先前层级保持不变）：",
        "idle": "  不影响任何层级：{titles}。",
        "joint": "、",
        "lever": "{title}：每增加一单位（{unit}），{name} {moves} {price}",
        "rule": "{title}：各行放宽一单位（{unit}），{name} {moves} {price}",
        "lowers": "下降",
        "raises": "上升",
        "share": "，增加1%约为其 {share:.2%}",
        "between": "{low:.3g} 至 {high:.3g}",
        "unique": "，价格唯一",
        "not_unique": "，价格不唯一（增加时取低值，减少时取高值）",
        "span": "，适用于 {down:+.4g}{first} 至 {up:+.4g}{second}。",
        "least": "（至少）",
        "no_span": "，未求适用范围。",
        "check": "检验（增加1%中央基金）：",
        "no_check": "  基金没有价格。",
        "within": "在适用范围之内",
        "outside": "超出适用范围，价格不再适用",
        "checked": "  增加 {more:,.0f} 亿元，{where}：{name} 按价格下降 {told:.6g}，"
        "重新求解下降 {found:.6g}。",
        "model": "  模型需求随之变化、各层级全部重新求解：下降 {model:.6g}。",
        "cells": "单元范围：{count} 个单元中 {unique} 个唯一（其中最宽 {widest:.2g} 亿元）。",
        "cell": "  {labels}：{value}，可为 {low} 至 {high}",
        "apart": "（其中 {apart:.1f} 未被任何已得方案达到）",
        "all": "合计",
        "space": " ",
    },
}


def text(result: Result, lang: str) -> str:
    """All that was found, in sentences.

    Parameters
    ----------
    result : Result
        A result that was explained.
    lang : {"en", "zh"}
        Language.
    """
    say = _SAY[lang]
    return "\n".join(
        [*_levers(result, lang, say), "", *_check(result, say), "", *_cells(result, lang, say)]
    )


def _levers(result: Result, lang: str, say: Mapping[str, str]) -> Iterator[str]:
    group, table = result["levers"], result["levels"]
    meanings = {
        str(name): (str(meaning), float(value))
        for name, meaning, value in zip(
            table["level"].values, table["meaning"].values, table["value"].values, strict=True
        )
    }
    levels = [str(name) for name in group["level_name"].values]
    yield say["prices"]
    idle = []
    for i in range(group.sizes["lever"]):
        one: dict[str, Any] = {
            str(name): group[name].values[i] for name in group.data_vars if name != "by_level"
        }
        level = str(one["level"])
        if not level:
            idle.append(str(one[f"title_{lang}"]))
            continue
        if np.isnan(one["price_less"]):
            one["price_less"] = one["price_more"] = group["by_level"].values[i, levels.index(level)]
        yield "  " + _sentence(str(one[f"title_{lang}"]), one, meanings[level], say)
    if idle:
        yield say["idle"].format(titles=say["joint"].join(idle))


def _sentence(
    title: str, one: Mapping[str, Any], level: tuple[str, float], say: Mapping[str, str]
) -> str:
    """One lever: its price, whether it is unique, and how far it holds."""
    meaning, value = level
    low, high = sorted((float(one["price_less"]), float(one["price_more"])))
    # What is asked for has a price below 0: more of it raises the level.
    raises = high <= 0
    if raises:
        low, high = -high, -low
    several = one["unique"] == 0
    price = say["between"].format(low=low, high=high) if several else f"{high:.3g}"
    unit, name = str(one["unit"]), str(one["level"])
    parts = [
        say[str(one["kind"])].format(
            title=title,
            unit=unit,
            name=name,
            meaning=meaning,
            price=price,
            moves=say["raises" if raises else "lowers"],
        )
    ]
    if one["kind"] == "lever" and value:
        share = 0.01 * float(one["amount"]) * abs(float(one["price_more"]) / value)
        parts.append(say["share"].format(share=share))
    if not np.isnan(one["unique"]):
        parts.append(say["not_unique" if several else "unique"])
    return "".join([*parts, _span(one, say)])


def _span(one: Mapping[str, Any], say: Mapping[str, str]) -> str:
    if np.isnan(one["holds_less"]):
        return say["no_span"]
    # Where nothing ended the range but the search itself, it reaches further.
    more = [
        say["least"] if not np.isfinite(one[f"ends_{side}"]) and not one[f"blocked_{side}"] else ""
        for side in ("less", "more")
    ]
    return say["span"].format(
        down=-float(one["holds_less"]) + 0.0,
        first=more[0],
        up=float(one["holds_more"]),
        second=more[1],
    )


def _check(result: Result, say: Mapping[str, str]) -> Iterator[str]:
    group = result["price_check"].isel(check=0)
    yield say["check"]
    if np.isnan(float(group["found"])):
        yield say["no_check"]
        return
    yield say["checked"].format(
        more=float(group["more"]),
        where=say["within" if int(group["within"]) else "outside"],
        name=group["level"].item(),
        told=float(group["told"]),
        found=float(group["found"]),
    )
    if not np.isnan(float(group["with_model"])):
        yield say["model"].format(model=float(group["with_model"]))


def _cells(result: Result, lang: str, say: Mapping[str, str]) -> Iterator[str]:
    from hukou_opt.vocabulary import label

    group, regions = result["ranges"], result["regions"]
    codes, names = regions["region"].values.tolist(), regions[f"name_{lang}"].values.tolist()
    named = {"all": say["all"], **dict(zip(codes, names, strict=True))}
    unique = group["unique"].values.astype(bool)
    width = group["highest"].values - group["lowest"].values
    yield say["cells"].format(
        unique=int(unique.sum()), count=unique.size, widest=width[unique].max(initial=0.0)
    )
    for i in np.flatnonzero(~unique):
        cell = group.isel(cell=int(i))
        sector = cell["sector"].item()
        labels = [
            named[cell["region"].item()],
            named.get(cell["block"].item(), cell["block"].item()),
            named.get(sector, label(sector, lang)),
        ]
        low, high, value = (
            f"{float(cell[key]):,.1f}" for key in ("lowest", "highest", "published")
        )
        line = say["cell"].format(labels=say["space"].join(labels), value=value, low=low, high=high)
        apart = float(cell["unproved"])
        yield line + (say["apart"].format(apart=apart) if apart > APART else "")
