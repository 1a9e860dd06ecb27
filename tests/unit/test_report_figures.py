from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image
from result_builder import CODES, result, without_allocation

from hukou_opt.errors import ResultError
from hukou_opt.report.figures import gaps_over_time, tile_map, transfers_per_head

pytestmark = pytest.mark.plots


def test_money_per_head_is_in_yuan() -> None:
    made = result()
    per_head = transfers_per_head(made)
    path, money = made["trajectory"], made["allocation"]["central_transfers"]
    people = path["urban_population"].values[0, 1] + path["rural_population"].values[0, 1]
    # 100m yuan over 10k persons.
    expected = money.sel(region=CODES[1]).values.sum() * 1e8 / (people * 1e4)
    assert per_head.sel(region=CODES[1]).item() == pytest.approx(expected)


def test_the_map_has_one_labelled_tile_per_region() -> None:
    figure = tile_map(result())
    axes = figure.axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert len(axes.patches) == len(texts) == 3
    assert texts[1].startswith("Henan\n")
    assert "50 % rule" in axes.get_title()
    image = Image.open(io.BytesIO(figure._repr_png_()))
    assert image.size == (880, 770)
    assert len(image.getcolors(maxcolors=1 << 20)) > 10


def test_gaps_over_time_shows_what_the_result_holds() -> None:
    made = result()
    left, right = gaps_over_time(made).axes
    assert len(left.lines) == 4
    allocation = made["allocation"]
    nation = allocation[["unfunded", "certified_cost"]].sum(["sector", "region"])
    # Every year of a block shows the block's mean.
    blocks = nation.groupby(allocation["block"]).sum()
    share = (blocks["unfunded"] / blocks["certified_cost"]).sel(block=allocation["block"].values)
    assert np.allclose([bar.get_height() for bar in right.patches], share.values * 100)


def test_no_figure_without_proof_or_allocation() -> None:
    with pytest.raises(ResultError, match="no valid certificate"):
        tile_map(result(certified=0))
    with pytest.raises(ResultError, match="has no allocation"):
        gaps_over_time(without_allocation())


def test_figures_leave_no_pyplot_behind() -> None:
    result().plot.tile_map()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
