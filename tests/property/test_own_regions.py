"""Whatever the few figures of one's own regions, the base year is possible and adds up."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hukou_opt.parameters.registry import load_parameters
from hukou_opt.regions.derive import check_base_year, derive_base_year
from hukou_opt.regions.load import load_regions

PARAMETERS = load_parameters()
#: A rich, a poor and a large province, and the nation.
PARENTS = ("310000", "540000", "440000", "")
#: Six regions together stay below the smallest parent (Tibet, 365): more people than the province
#: has are refused, which another test shows.
MOST_PEOPLE = 60
REGION = st.tuples(
    st.sampled_from(PARENTS), st.floats(0.5, MOST_PEOPLE), st.floats(0, 1), st.floats(0.2, 3)
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(REGION, min_size=1, max_size=6))
def test_any_own_table_gives_a_possible_base_year(regions):
    lines = ["code,parent,resident_pop,urban_share,budget_revenue,budget_expenditure"]
    lines += [
        f"r{at},{parent},{people:.6f},{share:.6f},{people:.6f},{people * ratio:.6f}"
        for at, (parent, people, share, ratio) in enumerate(regions)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        table = load_regions(path)
    data = derive_base_year(table, PARAMETERS, with_ranges=False).data
    assert check_base_year(data) == []
    migrants = data["initial_migrants"].to_numpy()
    people = (
        data["initial_rural_residents"].to_numpy()
        + data["initial_urban_hukou_residents"].to_numpy()
        + migrants.sum(axis=0)
    )
    np.testing.assert_allclose(people, table.figure("resident_pop"), rtol=1e-9)
    kept = 1 - PARAMETERS["cross_province_cap"]
    assert (np.diag(migrants) >= kept * migrants.sum(axis=0) * (1 - 1e-9)).all()
