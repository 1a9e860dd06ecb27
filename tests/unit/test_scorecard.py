"""Targets, states and figures of the scorecard."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from result_builder import CODES, PATH_YEARS, YEARS, attrs, groups, result, without_allocation
from typer.testing import CliRunner

from hukou_opt.cli import app
from hukou_opt.errors import DataError, ResultError
from hukou_opt.plan import targets
from hukou_opt.plan.facts import load_facts
from hukou_opt.plan.scorecard import STATES, Score, reaches, score
from hukou_opt.plan.targets import Target, load_targets
from hukou_opt.report.scorecard_figures import MEASURES, scorecard
from hukou_opt.report.scorecard_names import DEFINITIONS
from hukou_opt.report.scorecard_table import scorecard_frame, scorecard_table, scorecard_words
from hukou_opt.result import Result

FACTS = load_facts()
ROWS = {target.id: target for target in load_targets()}
numbers = st.floats(-1e6, 1e6, allow_nan=False)


def rich(seed: int = 1, **changes: object) -> Result:
    """A made-up result that holds everything that a target may be held against."""
    draw = np.random.default_rng(seed)
    parts = groups(seed)
    cell = ("year", "region")
    shape = (len(PATH_YEARS), len(CODES))
    path = parts["trajectory"]
    extra = {
        name: (cell, draw.uniform(1.0, 50.0, shape))
        for name in ("land_farmed", "land_transferred", "land_abandoned", "children_migrant")
    }
    extra["land_revenue"] = (cell, draw.uniform(100.0, 900.0, shape))
    extra["admission_migrant"] = (cell, draw.random(shape))
    extra["reform_settlers"] = (cell, np.cumsum(draw.uniform(0, 9, shape), axis=0))
    parts["trajectory"] = path.assign(extra)
    parts["regions"] = parts["regions"].assign(
        eastern=("region", [1, 0, 1]), hardship=("region", [0, 0, 1])
    )
    starts = draw.random((2, 3, len(YEARS)))
    # Nobody lacks more than is needed.
    need = parts["needs"]["need"].rename(year="need_year")
    parts["allocation"] = parts["allocation"].assign(
        partner_starts=(("service", "region", "year"), starts),
        shortage=need * draw.uniform(0.0, 0.3, need.shape),
    )
    parts["parameters"] = xr.concat(
        [
            parts["parameters"],
            xr.Dataset(
                {
                    "value": ("parameter", [1500.0, 50.0]),
                    "low": ("parameter", [500.0, 20.0]),
                    "high": ("parameter", [3000.0, 300.0]),
                    "unit": ("parameter", ["seats/school", "beds/hospital"]),
                    "status": ("parameter", ["assumption"] * 2),
                    "source": ("parameter", ["a", "b"]),
                    "overridden": ("parameter", [False, False]),
                },
                {"parameter": ["partner_school_seats", "partner_hospital_beds"]},
            ),
        ],
        "parameter",
    )
    parts["slack"] = xr.Dataset(
        {
            "rule": ("cell", ["seat_target", "seat_target", "capacity_share"]),
            "where": ("cell", ["nation, 2026, started", "nation, 2026, completed", "nation, 2026"]),
            "got": ("cell", [700.0, 321.0, 0.91]),
        },
        {"cell": [0, 1, 2]},
    )
    return Result.build(attrs(**changes), parts)


def scored(made: Result) -> dict[str, Score]:
    return {each.target.id: each for each in scorecard(made)}


def test_every_target_of_the_plan_has_a_row() -> None:
    named = {target.fact.id for target in load_targets()}
    assert {fact.id for fact in FACTS.values() if fact.role == "target"} <= named
    chapters = {target.section.split(".")[0] for target in load_targets()}
    assert {"3", "8", "9"} <= chapters


def test_contradicting_figures_are_rows_with_their_own_sections() -> None:
    rates = {
        (target.section, target.year): target.target
        for target in load_targets()
        if target.measure == "hukou_rate"
    }
    assert rates[("3.3", 2033)] == rates[("8.3", 2030)] == 0.65
    assert rates[("1.1.1", 2035)] == 0.7
    bonds = {t.section: t.target for t in load_targets() if t.measure == "bonds_per_year"}
    assert bonds == {"7.1": 2000, "9.3": 3000}
    # No two rows ask the same of the same figure in the same year.
    asked = [(t.label_en, t.target, t.year, t.section) for t in load_targets()]
    assert len(asked) == len(set(asked))


def test_every_row_has_a_measure_that_exists_or_a_reason() -> None:
    for target in load_targets():
        if target.measure:
            assert target.measure in MEASURES, target.id
            assert all(DEFINITIONS[target.measure]), target.id
        else:
            assert target.remark_en, target.id
            assert target.remark_zh, target.id
    assert {target.measure for target in load_targets()} - {""} == set(MEASURES)


def test_baselines_are_the_plan_s_and_the_official_ones() -> None:
    rate = ROWS["hukou_rate_2033"]
    assert rate.base(official=True) == (0.483, "official")
    assert rate.base(official=False) == (0.467, "plan")
    assert rate.source_plan == "plan 1.1.1"
    assert "Public Security" in rate.source_official
    # Where one is missing the other stands in.
    assert ROWS["pension_ratio_2029"].base(official=True) == (4.1, "plan")
    assert rate.base(official=None) == (None, "")


@pytest.mark.parametrize(
    ("value", "judged", "state"),
    [
        (0.65, 2033, "met"),
        (0.6499999999, 2033, "met"),
        (0.649, 2033, "behind"),
        # Half of the way from .483 in half of the time.
        (0.5665, 2028, "on_track"),
        (0.5660, 2028, "behind"),
        (0.66, 2028, "met"),
        (None, 2033, "no_data"),
        (math.nan, 2033, "no_data"),
    ],
)
def test_states_of_a_level(value: float | None, judged: int, state: str) -> None:
    made = score(
        ROWS["hukou_rate_2033"], value=value, judged=judged, begins=None, official=True, start=2023
    )
    assert made.state == state


def test_a_target_to_bring_down_and_one_to_keep() -> None:
    land = ROWS["abandoned_land"]
    kept = score(land, value=0.087, judged=2033, begins=0.09, official=True, start=2023)
    worse = score(land, value=0.0872, judged=2033, begins=0.09, official=True, start=2023)
    assert (kept.state, worse.state) == ("met", "behind")
    # Baseline and target agree: there is no way of which a part could be made.
    assert kept.progress is worse.progress is None
    assert reaches(0.354, 0.35, "equal")
    assert not reaches(0.357, 0.35, "equal")
    assert not reaches(0.343, 0.35, "equal")


def test_a_mean_of_a_span_is_due_from_the_first_year() -> None:
    flow = ROWS["settlers_per_year_to_2035"]
    for value, state in ((2100.0, "on_track"), (1990.0, "behind")):
        made = score(flow, value=value, judged=2033, begins=None, official=True, start=2023)
        assert made.state == state
    over = score(flow, value=2100.0, judged=2035, begins=None, official=True, start=2023)
    assert over.state == "met"


def test_a_sum_grows_from_nothing() -> None:
    seats = ROWS["new_seats_2026"]
    made = score(seats, value=310.0, judged=2026, begins=None, official=True, start=2023)
    assert (made.base, made.base_kind) == (0.0, "run")
    assert made.progress == pytest.approx(0.31)


@given(base=numbers, value=numbers)
def test_progress_is_the_part_of_the_way(base: float, value: float) -> None:
    row = replace(ROWS["settlers_2030"], base_official=base, target=500.0)
    made = score(row, value=value, judged=2030, begins=None, official=True, start=2023)
    if base >= 500.0:
        assert made.progress is None
    else:
        # To the accuracy of the differences.
        assert made.progress == pytest.approx((value - base) / (500.0 - base))
        assert (made.state == "met") == (value >= 500.0 * (1 - 1e-6))


def test_no_progress_over_a_way_too_short_to_tell() -> None:
    row = ROWS["public_share_2026"]
    made = score(row, value=0.99, judged=2026, begins=None, official=True, start=2023)
    assert made.progress is None
    plan = score(row, value=0.99, judged=2026, begins=None, official=False, start=2023)
    assert plan.progress == pytest.approx((0.99 - 0.68) / 0.12)


@given(
    value=st.one_of(st.none(), numbers, st.just(math.inf), st.just(math.nan)),
    begins=st.one_of(st.none(), numbers),
    judged=st.one_of(st.none(), st.integers(2023, 2040)),
    official=st.sampled_from([True, False, None]),
    target=st.sampled_from([t for t in load_targets() if not t.measure]),
)
def test_what_the_model_does_not_compute_is_never_filled(
    value: float | None,
    begins: float | None,
    judged: int | None,
    official: bool | None,
    target: Target,
) -> None:
    made = score(target, value=value, judged=judged, begins=begins, official=official, start=2023)
    assert made.state == "not_modelled"
    assert made.value is made.judged is made.progress is None


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_external_rows_stay_blank_whatever_a_result_holds(seed: int) -> None:
    draw = np.random.default_rng(seed)
    parts = groups(seed)
    outside = [target for target in load_targets() if not target.measure]
    # Figures under every name that an external row goes by.
    names = {name for t in outside for name in (t.id, t.fact.id, t.label_en)}
    cell = ("year", "region")
    shape = (len(PATH_YEARS), len(CODES))
    parts["trajectory"] = parts["trajectory"].assign(
        {name: (cell, draw.random(shape) * 100) for name in sorted(names)}
    )
    made = Result.build(attrs(base="plan" if seed % 2 else "official"), parts)
    frame = scorecard_frame(made).set_index("id").loc[[t.id for t in outside]]
    assert frame[["value", "judged", "progress", "due"]].isna().all(axis=None)
    assert (frame["state"] == "not_modelled").all()
    table = scorecard_table(made)
    states = table.frame.index.get_level_values("State")
    blank = table.frame[states == "not modelled"][["Reached", "Progress"]]
    assert len(blank) == len(outside)
    assert blank.isna().all(axis=None)


def test_figures_of_the_model_s_path() -> None:
    made = rich()
    found = scored(made)
    path = made["trajectory"]
    people = path["urban_population"] + path["rural_population"]
    rate = path["urban_hukou_residents"].sum("region") / people.sum("region")
    assert found["hukou_rate_2026"].value == pytest.approx(float(rate.sel(year=2026)))
    # The run ends in 2029: later targets are judged then.
    late = found["hukou_rate_2033"]
    assert late.judged == 2029
    assert late.value == pytest.approx(float(rate.sel(year=2029)))
    settled = path["reform_settlers"].sum("region")
    mean = (settled.sel(year=2026) - settled.sel(year=2023)) / 3
    assert found["settlers_per_year_2026"].value == pytest.approx(float(mean))
    assert found["settlers_2030"].value == pytest.approx(float(settled.sel(year=2029)))
    children = path["children_migrant"]
    public = (path["admission_migrant"] * children).sum("region") / children.sum("region")
    assert found["public_share_2026"].value == pytest.approx(float(public.sel(year=2026)))
    land = path[["land_farmed", "land_transferred", "land_abandoned"]].sum("region").sel(year=2029)
    share = float(land["land_abandoned"]) / float(sum(land[name] for name in land))
    assert found["abandoned_land"].value == pytest.approx(share)


def test_figures_of_the_allocation() -> None:
    made = rich()
    found = scored(made)
    allocation = made["allocation"]
    money = allocation["central_transfers"]
    assert found["central_fund"].value == pytest.approx(float(money.sum()))
    health = float(money.sel(sector="health").sum() / money.sum())
    assert found["sector_health"].value == pytest.approx(health)
    # Henan alone is supported.
    cost = float(allocation["certified_cost"].sel(region="410000").sum())
    share = float(money.sel(region="410000").sum()) / cost
    assert found["support_floor"].value == found["support_ceiling"].value
    assert found["support_floor"].value == pytest.approx(share)
    bonds = float(allocation["bonds"].sum()) / len(YEARS)
    assert found["city_bonds_71"].value == pytest.approx(bonds)
    assert found["city_bonds_93"].value == pytest.approx(bonds)
    # Guangdong is in hardship here: Beijing alone pays the levy, in the years of decision.
    revenue = float(made["trajectory"]["land_revenue"].sel(region="110000", year=YEARS).sum())
    levy = float(allocation["east_levy"].sum()) / revenue
    assert found["east_levy"].value == pytest.approx(levy)
    starts = allocation["partner_starts"].sum(["region", "year"])
    schools, hospitals = (float(starts.sel(service=name)) for name in ("seats", "beds"))
    assert found["partner_schools"].value == pytest.approx(schools * 10_000 / 1500)
    assert found["partner_hospitals"].value == pytest.approx(hospitals * 10_000 / 50)
    assert found["new_seats_2026"].value == 321.0
    assert found["capacity_2026"].value == 0.91


def test_rural_over_urban_is_the_lower_of_two_services() -> None:
    made = rich()
    need = made["needs"]["need"].sum("region").sel(year=2029)
    short = made["allocation"]["shortage"].sum("region").sel(need_year=2029)
    met = 1 - short / need
    level = met.sel(area="rural") / met.sel(area="urban")
    assert scored(made)["rural_service_2033"].value == pytest.approx(float(level.min()))


def test_spending_of_cities_needs_the_inputs() -> None:
    made = rich()
    assert scored(made)["city_spending"].state == "no_data"


def test_without_allocation_what_needs_one_has_no_data() -> None:
    made = without_allocation()
    found = scored(made)
    assert found["hukou_rate_2026"].value is not None
    for name in ("central_fund", "sector_health", "support_floor", "city_bonds_71", "east_levy",
                 "partner_schools", "new_seats_2026", "capacity_2026", "rural_service_2033",
                 "city_spending"):  # fmt: skip
        assert found[name].state == "no_data", name
        assert found[name].value is None, name
    assert any("without reform" in note for note in scorecard_table(made).notes)


def test_other_regions_have_neither_baseline() -> None:
    made = rich(region_notes="two own regions")
    rate = scored(made)["hukou_rate_2033"]
    assert rate.base_kind == "run"
    path = made["trajectory"].sel(year=2023).sum("region")
    people = float(path["urban_population"] + path["rural_population"])
    assert rate.base == pytest.approx(float(path["urban_hukou_residents"]) / people)
    assert any("other regions" in note for note in scorecard_table(made).notes)


def test_the_base_of_a_run_is_the_baseline_of_progress() -> None:
    for base, figure in (("official", 0.483), ("plan", 0.467)):
        assert scored(rich(base=base))["hukou_rate_2026"].base == figure


def test_no_scorecard_without_certificate() -> None:
    for make in (scorecard, scorecard_table, scorecard_frame, scorecard_words):
        with pytest.raises(ResultError, match="no valid certificate"):
            make(result(certified=0))


def test_counts_add_up_and_both_languages_say_the_same() -> None:
    made = rich()
    frame = scorecard_frame(made)
    assert len(frame) == len(load_targets())
    assert set(frame["state"]) <= set(STATES)
    english, chinese = scorecard_words(made), scorecard_words(made, "zh")
    figures = [at for at, column in enumerate(english.columns) if not column.width]
    for (_, rows), (_, same) in zip(english.sections, chinese.sections, strict=True):
        assert len(rows) == len(same)
        for row, twin in zip(rows, same, strict=True):
            assert [row[at] for at in figures] == [twin[at] for at in figures]
            assert row[-2] != twin[-2]
    assert sum(len(rows) for _, rows in english.sections) == len(load_targets())
    modelled = len(load_targets()) - int((frame["state"] == "not_modelled").sum())
    assert f"{modelled} of them computed" in english.notes[0]
    assert made.table.scorecard().equals(scorecard_table(made).frame)


def test_a_miss_that_rounds_away_is_shown() -> None:
    made = rich()
    parts = {name: made[name] for name in made.tree.children}
    slack = parts["slack"].copy()
    slack["got"] = ("cell", [700.0, 321.0, 0.89997])
    parts["slack"] = slack
    table = scorecard_table(Result.build(made.attrs, parts))
    text = table.text().reset_index()
    row = text[text["Target"].str.startswith("Room for migrant")].iloc[0]
    assert (row["State"], row["Wanted"], row["Reached"]) == ("behind", "90.00%", "90.00%")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fact": "nothing"}, "unknown fact 'nothing'"),
        ({"form": "money"}, "unknown form 'money'"),
        ({"measure": "", "remark_en": "", "remark_zh": ""}, "a measure, or a reason"),
        ({"remark_zh": "", "remark_en": "why"}, "one language only"),
        ({"base_official": "1", "source_official": ""}, "needs its source"),
        ({"fact": "derived_cw_half", "figure": "value"}, "no figure 'value'"),
    ],
)
def test_faults_of_the_table_are_named(
    change: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with targets.FILE.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[3] |= change
    file = tmp_path / "targets.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    monkeypatch.setattr(targets, "FILE", file)
    load_targets.cache_clear()
    try:
        with pytest.raises(DataError, match=message):
            load_targets()
    finally:
        load_targets.cache_clear()


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "results" / "made_up"
    folder.mkdir(parents=True)
    rich().save(folder / "result.nc")
    return folder


@pytest.mark.parametrize("form", ["text", "csv", "latex", "html"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_command_prints_every_row(saved: Path, form: str, lang: str) -> None:
    # Wide enough that no label is broken: the lines of a broken one stand between other cells.
    done = CliRunner(env={"COLUMNS": "300"}).invoke(
        app, ["scorecard", str(saved), "--format", form, "--lang", lang]
    )
    assert done.exit_code == 0, done.output
    if form == "csv":
        assert done.stdout.count("\n") == len(load_targets()) + 1
        return
    # Lines are broken: words are looked for without spaces.
    text = "".join(done.stdout.split())
    for target in load_targets()[:5]:
        label = target.label_en if lang == "en" else target.label_zh
        assert "".join(label.split())[:12] in text
    if form == "latex":
        assert "≥" not in done.stdout
        assert done.stdout.count(r"\ge") == sum(t.direction == "at_least" for t in load_targets())


def test_the_command_finds_a_run_by_name_and_writes_a_file(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["scorecard", "made_up", "--out", "card.csv"])
    assert done.exit_code == 0, done.output
    assert list(pd.read_csv("card.csv")["id"]) == [target.id for target in load_targets()]


def test_the_command_names_all_wrong_options(saved: Path) -> None:
    wrong = ["--format", "pdf", "--lang", "de", "--out", str(saved)]
    done = CliRunner().invoke(app, ["scorecard", str(saved), *wrong])
    assert done.exit_code == 2
    assert "(3 faults)" in done.output


def test_the_command_suggests_a_run(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["scorecard", "made_upp"])
    assert done.exit_code == 7
    assert "did you mean 'made_up'?" in done.output
    for path, words in (("no/such.nc", "no such file"), (str(tmp_path), "has no result.nc")):
        done = CliRunner().invoke(app, ["scorecard", path])
        assert done.exit_code == 7
        assert words in done.output
