"""Capacity by convolution, and the checks on a run."""

from __future__ import annotations

import numpy as np
import xarray as xr

from hukou_opt.dynamics import capacity_of_starts
from hukou_opt.dynamics.exchange import AREAS, SERVICES


def test_capacity_of_starts_is_the_sum_over_earlier_years():
    years = [2024, 2025, 2026]
    random = np.random.default_rng(3)
    starts = xr.DataArray(
        random.uniform(size=(2, 2, 2, 3)),
        {"area": list(AREAS), "service": list(SERVICES), "region": ["a", "b"], "year": years},
        ("area", "service", "region", "year"),
    )
    standing = xr.DataArray(
        [[0.1, 0.5, 0.9], [0.0, 0.2, 0.4]],
        {"service": list(SERVICES), "age": [0, 1, 2]},
        ("service", "age"),
    )
    built = capacity_of_starts(starts, standing)
    for area in AREAS:
        for service in SERVICES:
            for region in ("a", "b"):
                for now, year in enumerate(years):
                    place = {"area": area, "service": service, "region": region}
                    expected = sum(
                        float(starts.sel(place, drop=True).sel(year=years[begun]))
                        * float(standing.sel(service=service, age=now - begun))
                        for begun in range(now + 1)
                    )
                    got = float(built.sel(place, drop=True).sel(year=year))
                    assert abs(got - expected) < 1e-12
