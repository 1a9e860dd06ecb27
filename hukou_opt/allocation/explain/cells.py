"""Published cells of the central transfers, as sums of columns of the linear program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hukou_opt.allocation.formulation import LinearProgram
from hukou_opt.allocation.problem import SECTORS, Problem

#: Label of a sum over all regions, blocks or sectors.
ALL = "all"


@dataclass(frozen=True, eq=False)
class CellSum:
    """One published cell.

    Parameters
    ----------
    region, block, sector : str
        Labels; `ALL` where the cell is a sum.
    columns : ndarray of int
        Columns whose sum it is, 100m yuan.
    """

    region: str
    block: str
    sector: str
    columns: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The cell in words for errors."""
        return f"central transfers, region {self.region}, {self.block}, {self.sector}"


def cells(p: Problem, program: LinearProgram, *, region_by_sector: bool = False) -> list[CellSum]:
    """Cells of central transfers that are published.

    Parameters
    ----------
    p : Problem
        Labels.
    program : LinearProgram
        Its program.
    region_by_sector : bool, optional
        Cells of region, block and sector too; few of them are unique.

    Returns
    -------
    list of CellSum
        Region by block, region, block, sector by block, sector, all; then region by sector.
    """
    column = program.columns()

    def block_money(region: str, block: str) -> int:
        return column[f"central_block[{region},{block}]"]

    def found(region: str, block: str, sector: str, columns: Iterator[int]) -> CellSum:
        return CellSum(region, block, sector, np.fromiter(columns, dtype=np.int64))

    def years(region: str, block: str, sector: str) -> Iterator[int]:
        names = p.codes if region == ALL else (region,)
        for each in p.blocks:
            if block in (ALL, each.label):
                for code in names:
                    for year in each.years:
                        yield column[f"central[{sector},{code},{year}]"]

    labels = [block.label for block in p.blocks]
    out = [found(r, b, ALL, iter([block_money(r, b)])) for r in p.codes for b in labels]
    out += [found(r, ALL, ALL, (block_money(r, b) for b in labels)) for r in p.codes]
    out += [found(ALL, b, ALL, (block_money(r, b) for r in p.codes)) for b in labels]
    pairs = [(b, g) for b in (*labels, ALL) for g in SECTORS]
    out += [found(ALL, b, g, years(ALL, b, g)) for b, g in pairs]
    every = (block_money(r, b) for r in p.codes for b in labels)
    out.append(found(ALL, ALL, ALL, every))
    if region_by_sector:
        out += [found(r, b, g, years(r, b, g)) for r in p.codes for b, g in pairs]
    return out
