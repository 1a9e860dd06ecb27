from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from result_builder import attrs, groups, result, without_allocation

from hukou_opt.errors import OutputError, ResultError
from hukou_opt.result import Result, open_result


def test_saved_and_opened_is_the_same(tmp_path: Path) -> None:
    made = result()
    path = made.save(tmp_path / "run.nc")
    opened = open_result(path)
    xr.testing.assert_identical(made.tree, opened.tree)
    assert opened.identity == made.identity
    assert opened == made


def test_saved_again_after_opening_gives_the_same_bytes(tmp_path: Path) -> None:
    first = result().save(tmp_path / "a.nc").read_bytes()
    again = open_result(tmp_path / "a.nc").save(tmp_path / "b.nc").read_bytes()
    assert first == again


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from result_builder import result; result().save(sys.argv[2])"
    )
    here = str(Path(__file__).resolve().parents[1])
    for name in ("one.nc", "two.nc"):
        subprocess.run([sys.executable, "-c", code, here, str(tmp_path / name)], check=True)
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_identity_follows_every_number_and_text() -> None:
    base = result().identity
    assert result().identity == base
    assert result(seed=2).identity != base
    assert result(title_zh="别的").identity != base


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        result().save(tmp_path / "missing" / "run.nc")
    assert list(tmp_path.iterdir()) == []


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    path = result().save(tmp_path / "run.nc")
    with netCDF4.Dataset(path, "a") as file:
        file["allocation"]["central_transfers"][0, 1, 5] += 1.0
    with pytest.raises(ResultError, match="was altered after it was written"):
        open_result(path)


def test_an_edited_attribute_is_refused(tmp_path: Path) -> None:
    path = result(certified=0).save(tmp_path / "run.nc")
    with netCDF4.Dataset(path, "a") as file:
        file.certified = np.int64(1)
    with pytest.raises(ResultError, match="was altered"):
        open_result(path)


def test_an_incomplete_file_lists_all_that_is_missing(tmp_path: Path) -> None:
    tree = result().tree.copy()
    del tree["levels"]
    del tree.attrs["versions"]
    tree.to_netcdf(tmp_path / "part.nc")
    with pytest.raises(ResultError) as caught:
        open_result(tmp_path / "part.nc")
    text = str(caught.value)
    assert "group /levels" in text
    assert "attribute versions" in text


@pytest.mark.parametrize("content", [b"", b"not a netCDF file at all"])
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.nc"
    path.write_bytes(content)
    with pytest.raises(ResultError, match="no readable netCDF"):
        open_result(path)
    with pytest.raises(ResultError, match="no such file"):
        open_result(tmp_path / "y.nc")


def test_regions_in_another_order_are_refused() -> None:
    parts = groups()
    parts["trajectory"] = parts["trajectory"].isel(region=[1, 0, 2])
    with pytest.raises(ResultError, match=r"/trajectory .* another order"):
        Result.build(attrs(), parts)


def test_a_region_twice_is_refused() -> None:
    parts = groups()
    parts["trajectory"] = parts["trajectory"].isel(region=[0, 0, 1])
    with pytest.raises(ResultError, match="stands twice"):
        Result.build(attrs(), parts)


def test_wrong_dimensions_are_refused() -> None:
    parts = groups()
    parts["allocation"]["capacity"] = parts["allocation"]["capacity"].isel(need_year=0, drop=True)
    with pytest.raises(ResultError, match=r"/allocation/capacity .* has dimensions"):
        Result.build(attrs(), parts)


def test_units_and_order_come_from_the_vocabulary() -> None:
    parts = groups()
    transposed = parts["allocation"]["central_transfers"].transpose("year", "region", "sector")
    parts["allocation"]["central_transfers"] = transposed
    built = Result.build(attrs(), parts)
    assert built == result()
    money = built["allocation"]["central_transfers"]
    assert money.dims == ("sector", "region", "year")
    assert money.attrs["units"] == "100m yuan"


def test_card_and_line_say_what_holds() -> None:
    good, bad = result(), result(converged=0, certified=0)
    assert "converged" not in good._repr_html_()
    assert "A made-up run &amp; its 50 % rule" in good._repr_html_()
    assert "Unfunded share, worst fifth" in good._repr_html_()
    assert "not converged after 3 rounds" in bad._repr_html_()
    assert "failed: not proved" in bad._repr_html_()
    assert "certificate: NO" in repr(bad)
    assert "no allocation" in repr(without_allocation())
    assert "Guang_dong" in good._repr_html_()


def test_unknown_names_are_errors() -> None:
    with pytest.raises(KeyError, match="it has regions"):
        result()["allocatoin"]
    with pytest.raises(AttributeError, match="nothing"):
        _ = result().nothing
    assert "gaps" in result()
    assert "gaps" not in without_allocation()


def test_pickles_for_other_processes() -> None:
    made = result()
    assert pickle.loads(pickle.dumps(made)) == made
