"""The shipped calibrations are what the command makes of the shipped figures."""

from __future__ import annotations

import pytest

from hukou_opt import bundled
from hukou_opt.fit.calibrate import calibrate
from hukou_opt.fit.calibration_file import read_calibration, write_calibration
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.parameters import load_parameters
from hukou_opt.regions.history import load_history

#: Six digits are written; two machines may round the last one differently.
TOLERANCE = 2e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(bundled.calibrations()))
def test_a_shipped_calibration_can_be_repeated(name: str, tmp_path) -> None:
    shipped = read_calibration(bundled.calibrations()[name])
    made = calibrate(
        load_history(known_by=shipped.known_by),
        load_parameters(),
        vintage=shipped.vintage,
        first=shipped.first,
        last=shipped.last,
        level=load_protocol().level,
        access_held=shipped.access_held,
        with_ridge=True,
    )
    write_calibration(made, tmp_path / "again.yaml")
    again = read_calibration(tmp_path / "again.yaml")
    assert again.years == shipped.years
    assert dict(again.free) == dict(shipped.free)
    assert dict(again.observations) == dict(shipped.observations)
    for code, row in shipped.regions.items():
        assert again.regions[code].slope == pytest.approx(row.slope, abs=TOLERANCE)
        assert again.regions[code].net_moves == pytest.approx(row.net_moves, abs=TOLERANCE)
    for ours, theirs in zip(again.ridge, shipped.ridge, strict=True):
        assert ours.settlement == pytest.approx(theirs.settlement, rel=1e-4)
    assert (again.model, again.history) == (shipped.model, shipped.history)
