"""Members of a batch are what they are alone, whatever varies between them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_corpus import CORPUS, complete, controls, graph_of, simulated
from small_model import CODES, TEXT, YEARS

import hukou_opt.dynamics.array_engine as array_engine
from hukou_opt.dynamics import no_decisions
from hukou_opt.dynamics.array_engine import ArrayEngine
from hukou_opt.errors import ModelError

#: Models whose constants may move a little without leaving the range of a function.
MODELS = (
    "aliases", "conditions", "delays", "delays_matrix", "elements_left", "except_groups",
    "initial", "lookups", "products", "ranges", "smooths", "stocks_crossed", "subranges", "sums",
    "tables_of_constants", "time_functions", "transposed", "transposed_names", "active_initial",
    "guarded", "views",
)  # fmt: skip
TEXTS = {name: (CORPUS / f"{name}.mdl").read_text(encoding="utf-8") for name in MODELS}
GRAPHS = {name: graph_of(text) for name, text in TEXTS.items()}
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def equal(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13 * np.max(np.abs(b), initial=1.0))


@QUICK
@given(data=st.data())
def test_each_member_of_a_batch_equals_its_run_alone(data):
    name = data.draw(st.sampled_from(MODELS))
    graph, (span, step) = GRAPHS[name], controls(TEXTS[name])
    constants = list(graph.inputs)
    varying = (
        frozenset(data.draw(st.sets(st.sampled_from(constants)))) if constants else frozenset()
    )
    number = data.draw(st.integers(1, 4))
    random = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    inputs = []
    for each, default in zip(constants, graph.defaults, strict=True):
        shape = np.shape(default)
        factor = random.uniform(0.9, 1.1, (*shape, number) if each in varying else shape)
        moved = np.asarray(default)[..., None] if each in varying else np.asarray(default)
        inputs.append(moved * factor if np.ndim(moved * factor) else float(moved * factor))
    names = list(graph.variables)
    batch = simulated(graph, names, inputs, span=span, step=step, varying=varying, number=number)
    for member in range(number):
        alone = simulated(
            graph,
            names,
            [
                np.array(value[..., member]) if each in varying and np.ndim(value) > 1
                else (float(value[member]) if each in varying else value)
                for each, value in zip(constants, inputs, strict=True)
            ],
            span=span,
            step=step,
        )  # fmt: skip
        for variable, together, single in zip(names, batch, alone, strict=True):
            own = together[..., member] if together.ndim > single.ndim else together
            try:
                equal(own, single)
            except AssertionError as error:
                raise AssertionError(f"{name}: {variable}, varying {sorted(varying)}") from error


def test_only_what_depends_on_a_varying_constant_has_members():
    text = complete("a = 2\nb = 3\nx = a * Time\ny = x + b\ns = INTEG(y, 1)\nz = INTEG(x, 1)")
    graph = graph_of(text)
    inputs = [np.array([3.0, 4.0]) if name == "b" else 2.0 for name in graph.inputs]
    names = ["x", "y", "s", "z"]
    found = simulated(
        graph, names, inputs, span=(0, 1), step=0.5, varying=frozenset({"b"}), number=2
    )
    assert [each.shape for each in found] == [(3,), (3, 2), (3, 2), (3,)]


# The engine's own boundary

TEXT_OF_ALL = TEXT.replace(
    "elapsed= INTEG(1, 0)",
    """late[region]= DELAY3I(stock[region], 2 + growth[region], scale)
	~ 1 ~ |
moved[region,dest]= SUM(moved too[region, orig!] * matrix[orig!, dest])
	~ 1 ~ |
orig <-> region
	~	~	|
moved too[region,dest]= IF THEN ELSE(matrix[dest,region] > 0.5, stock[region], late[dest] / scale)
	~ 1 ~ |
kept[region]= INITIAL(growth[region] * scale + 1)
	~ 1 ~ |
given[region]= SUM(funded_share[region,year!]*year_is_now[year!]) * kept[region]
	~ 1 ~ |
elapsed= INTEG(1, 0)""",
)
COLUMNS = ("stock", "late", "moved", "kept", "given", "elapsed", "gain")
MEMBERS = ("low", "middle", "high", "3", "four")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "own.mdl"
    path.write_text(TEXT_OF_ALL, encoding="utf-8")
    return ArrayEngine(path, CODES, YEARS, time_step=0.25, trust=True)


@pytest.fixture
def nothing():
    return no_decisions(CODES, YEARS)


def constant(random, dims, members):
    coords = {"region": list(CODES), "dest": list(CODES), "member": list(members)}
    shape = [len(coords[dim]) for dim in dims]
    return xr.DataArray(
        random.uniform(0.1, 1.0, shape), {dim: coords[dim] for dim in dims}, list(dims)
    )


def drawn(random, which, members=MEMBERS):
    dims = {"growth": ("region",), "scale": (), "matrix": ("region", "dest")}
    return {
        name: constant(random, (*own, "member") if name in which else own, members)
        for name, own in dims.items()
    }


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    which=st.sets(st.sampled_from(["growth", "scale", "matrix", "starts", "funded_share"])),
    seed=st.integers(0, 10**6),
    block=st.sampled_from([1, 2, 3, 5, 100]),
)
def test_members_through_the_engine_in_blocks_of_any_size(engine, which, seed, block):
    random = np.random.default_rng(seed)
    constants = drawn(random, which)
    nothing = no_decisions(CODES, YEARS)
    factor = xr.DataArray(random.uniform(0, 1, 5), {"member": list(MEMBERS)}, ("member",))
    starts, share = nothing.starts + 3.0, nothing.funded_share * 0.5
    decisions = type(nothing)(
        starts=starts * factor if "starts" in which else starts,
        temporary_places=nothing.temporary_places,
        funded_share=share * factor if "funded_share" in which else share,
        bonds=nothing.bonds,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_engine, "BLOCK_BYTES", block * len(CODES) * array_engine.FLOAT_BYTES)
        engine.reset(constants)
        together = engine.run(decisions, COLUMNS).data
    for member in MEMBERS:
        engine.reset(
            {
                name: value.sel(member=member, drop=True) if "member" in value.dims else value
                for name, value in constants.items()
            }
        )
        own = {
            name: array.sel(member=member, drop=True) if "member" in array.dims else array
            for name, array in vars(decisions).items()
        }
        alone = engine.run(type(nothing)(**own), COLUMNS).data
        for name in COLUMNS:
            found = together[name]
            found = found.sel(member=member) if "member" in found.dims else found
            equal(found.values, alone[name].values)


def test_members_in_another_order_keep_their_values(engine, nothing):
    constants = drawn(np.random.default_rng(1), {"growth", "scale", "matrix"})
    engine.reset(constants)
    assert engine.members == MEMBERS
    first = engine.run(nothing, COLUMNS).data
    turned = list(reversed(MEMBERS))
    constants["scale"] = constants["scale"].sel(member=turned)
    engine.reset(constants)
    second = engine.run(nothing, COLUMNS).data
    for name in COLUMNS:
        xr.testing.assert_allclose(first[name], second[name], rtol=0, atol=0)
    constants = {name: value.sel(member=turned) for name, value in constants.items()}
    engine.reset(constants)
    third = engine.run(nothing, COLUMNS).data
    assert third["stock"].member.values.tolist() == turned
    xr.testing.assert_allclose(first["stock"], third["stock"].sel(member=list(MEMBERS)), rtol=0)


def test_decisions_bring_members_in_their_own_order(engine, nothing):
    random = np.random.default_rng(2)
    engine.reset(drawn(random, {"scale"}))
    factor = xr.DataArray(np.arange(5.0), {"member": list(reversed(MEMBERS))}, ("member",))
    starts = (nothing.starts + 1) * factor
    together = engine.run(type(nothing)(**{**vars(nothing), "starts": starts}), ("stock",)).data
    assert together.member.values.tolist() == list(MEMBERS)
    engine.reset(
        {
            name: value.sel(member="low", drop=True) if "member" in value.dims else value
            for name, value in drawn(np.random.default_rng(2), {"scale"}).items()
        }
    )
    alone = engine.run(
        type(nothing)(**{**vars(nothing), "starts": starts.sel(member="low", drop=True)}),
        ("stock",),
    ).data
    equal(together["stock"].sel(member="low").values, alone["stock"].values)


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        (MEMBERS[:4], r"scale \| has 4 members, other than the 5 of growth"),
        ((*MEMBERS[:4], "other"), "has 5 members, other than the 5 of growth"),
        ((*MEMBERS[:4], "low"), "other than the 5 of growth"),
        ((), "has 0 members"),
    ],
)
def test_members_that_differ_are_refused(engine, members, complaint):
    random = np.random.default_rng(3)
    constants = drawn(random, {"growth"}) | {"scale": constant(random, ("member",), members)}
    with pytest.raises(ModelError, match=complaint):
        engine.reset(constants)


def test_members_of_decisions_that_differ_are_refused(engine, nothing):
    engine.reset(drawn(np.random.default_rng(3), {"growth"}))
    factor = xr.DataArray([1.0, 2.0], {"member": ["low", "high"]}, ("member",))
    wrong = type(nothing)(**{**vars(nothing), "bonds": nothing.bonds * factor})
    with pytest.raises(ModelError, match=r"bonds \| has 2 members, other than the 5 of growth"):
        engine.run(wrong, COLUMNS)


@pytest.mark.parametrize("members", [("a", "a"), ("a", "b", "a")])
def test_a_member_twice_is_refused(engine, members):
    with pytest.raises(ModelError, match="twice"):
        engine.reset({"scale": constant(np.random.default_rng(1), ("member",), members)})


def test_an_axis_without_members_or_labels_is_refused(engine):
    with pytest.raises(ModelError, match="no members"):
        engine.reset({"scale": constant(np.random.default_rng(1), ("member",), ())})
    with pytest.raises(ModelError, match="no labels on 'member'"):
        engine.reset({"scale": xr.DataArray([1.0, 2.0], dims=("member",))})


def test_one_member_taken_out_is_a_single_run(engine, nothing):
    """Its label stays on it as a coordinate without an axis."""
    constants = drawn(np.random.default_rng(4), {"growth", "scale"})
    engine.reset(constants)
    together = engine.run(nothing, ("stock",)).data["stock"].sel(member="3")
    engine.reset({n: v.sel(member="3") if "member" in v.dims else v for n, v in constants.items()})
    assert engine.members == ()
    alone = engine.run(nothing, ("stock",)).data["stock"]
    assert "member" not in alone.dims
    equal(together.values, alone.values)


def test_one_member_alone_keeps_its_axis(engine, nothing):
    engine.reset(drawn(np.random.default_rng(4), {"scale"}, ("only",)))
    found = engine.run(nothing, ("stock", "elapsed")).data
    assert found["stock"].dims == ("year", "region", "member")
    assert found["elapsed"].dims == ("year",)


def test_a_value_that_is_no_number_is_named_with_its_member(engine, nothing):
    constants = drawn(np.random.default_rng(5), {"growth"})
    constants["growth"].loc[{"member": "high", "region": "2"}] = np.nan
    with pytest.raises(ModelError, match=r"growth\[region 2, member high\] \| is not finite"):
        engine.reset(constants)


def test_a_result_that_is_no_number_is_named_with_its_member(engine, nothing):
    constants = drawn(np.random.default_rng(6), {"scale"})
    constants["scale"].loc[{"member": "four"}] = 1e308
    engine.reset(constants)
    with pytest.raises(ModelError, match=r"stock\[year 20\d\d, region 1, member four\] \| is not"):
        engine.run(nothing, ("stock",))


def test_nothing_of_a_batch_remains(engine, nothing):
    engine.reset({})
    before = engine.run(nothing, COLUMNS).data
    engine.reset(drawn(np.random.default_rng(7), {"growth", "scale", "matrix"}))
    engine.run(nothing, COLUMNS)
    engine.reset({})
    xr.testing.assert_identical(engine.run(nothing, COLUMNS).data, before)
