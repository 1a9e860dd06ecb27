"""The structure of a model: kinds, links, signed flows, sectors; what is no model is refused."""

from __future__ import annotations

import re

import pytest
from small_model import TEXT as SMALL

from hukou_opt import bundled
from hukou_opt.dynamics.structure import Structure, Term, read_structure
from hukou_opt.errors import ModelError

PEOPLE = """
********************************************************
	.people
********************************************************~
		Who lives where
	|
matrix_stock[region,dest]= INTEG(-(leaving[region,dest] - back[region,dest]), 1)
	~ ten thousand persons ~ People by origin and destination |
leaving[region,dest]= Matrix Stock[region,dest]*scale*delay_of_growth[region]
	~ ten thousand persons/year ~ A note that names growth is no link |
back[region,dest]= IF THEN ELSE(Time > turning_point, 1, 0)
	~ ten thousand persons/year ~ |
arriving[dest]= SUM(leaving[region!,dest])
	~ ten thousand persons/year ~ |
home[region]= INTEG(arriving[region] - 0.1*home[region] - SUM(back[region,dest!]), first[region])
	~ ten thousand persons ~ |
first[region]= 3
	~ ten thousand persons ~ |
turning_point= INITIAL(growth[r1] + home[r1])
	~ 1 ~ |
delay_of_growth[region]= SMOOTH3I(yearly_now[region], 2, first[region])
	~ 1/year ~ |
yearly[region,year]= 0
	~ 1/year ~ By year |
yearly_now[region]= SUM(yearly[region,year!]*year_is_now[year!])
	~ 1/year ~ |
cumulative_arriving[region]= INTEG(arriving[region], 0)
	~ ten thousand persons ~ |
"""


@pytest.fixture
def write(tmp_path):
    def writer(text: str):
        path = tmp_path / "own.mdl"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


@pytest.fixture
def small(write) -> Structure:
    before, after = SMALL.split("INITIAL TIME")[0], SMALL[SMALL.index("INITIAL TIME") :]
    return read_structure(write(before + PEOPLE + after), trust=True)


@pytest.fixture(scope="module")
def shipped() -> Structure:
    return read_structure(bundled.model())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("stock", "stock"),
        ("gain", "flow"),
        ("growth", "constant"),
        ("yearly", "input"),
        ("year_end", "constant"),
        ("turning_point", "initial"),
        ("year_is_now", "auxiliary"),
        ("home", "stock"),
        ("cumulative_arriving", "memo"),
    ],
)
def test_each_variable_has_its_kind(small, name, kind):
    assert small.element(name).kind == kind


def test_the_signed_terms_of_a_stock(small):
    assert small.element("matrix_stock").terms == (
        Term(-1, "leaving", "leaving"),
        Term(1, "back", "back"),
    )
    home = small.element("home")
    assert home.inflows == (Term(1, "arriving", "arriving"),)
    # A term that is no plain name keeps its text.
    assert home.outflows == (Term(-1, "", "0.1 * home"), Term(-1, "", "SUM(back)"))


def test_links_name_variables_whatever_their_subscripts_and_spelling(small):
    assert small.inputs_of("leaving") == ("matrix_stock", "scale", "delay_of_growth")
    assert small.has_link("Matrix Stock", "leaving")
    assert not small.has_link("leaving", "delay_of_growth")
    assert small.readers_of("back") == ("matrix_stock", "home")
    assert small.element("arriving").sums == "leaving"
    assert small.element("yearly_now").sums == ""


def test_what_is_read_at_the_start_is_no_link_of_the_run(small):
    assert small.inputs_of("turning_point") == ()
    assert small.element("turning_point").initial_inputs == ("growth", "home")
    assert small.element("home").initial_inputs == ("first",)
    assert small.inputs_of("delay_of_growth") == ("yearly_now",)
    assert small.element("delay_of_growth").initial_inputs == ("first",)


def test_what_can_change_in_time(small):
    assert small.element("back").reads_time
    assert {"back", "gain", "yearly_now", "leaving", "arriving"} <= small.varying
    assert not {"growth", "scale", "turning_point", "year_end", "first"} & small.varying


def test_sectors_are_the_groups_of_the_file(small):
    people = small.sector("People")
    assert people.title == "Who lives where"
    assert people.elements[0].name == "matrix_stock"
    assert people.elements[0].dims == ("region", "dest")
    assert people.elements[0].unit == "ten thousand persons"
    assert people.elements[0].documentation == "People by origin and destination"
    assert [sector.name for sector in small.sectors] == ["model", "people"]


def test_unknown_names_get_a_suggestion(small):
    with pytest.raises(ModelError, match="did you mean 'people'"):
        small.sector("peopel")
    with pytest.raises(ModelError, match="did you mean 'leaving'"):
        small.element("leavin")


def test_a_model_from_elsewhere_needs_trust(write):
    with pytest.raises(ModelError, match="not a model of the toolkit"):
        read_structure(write(SMALL))


def test_every_undefined_name_is_listed(write):
    text = SMALL.replace("scale*growth[region]", "scal*grwth[region]")
    with pytest.raises(ModelError) as caught:
        read_structure(write(text), trust=True)
    assert "'scal'" in str(caught.value)
    assert "did you mean 'growth'" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("INTEG(gain[region], 1)", "INTEG(gain[region]", "cannot be translated"),
        ("scale=", '"scale$x$"=', "has the name"),
        ("scale= 1", "scale= GET DIRECT CONSTANTS('a.csv', ',', 'B2')", "reads another file"),
    ],
)
def test_what_is_no_safe_model_is_refused(write, old, new, message):
    with pytest.raises(ModelError, match=message):
        read_structure(write(SMALL.replace(old, new)), trust=True)


def test_the_links_of_the_shipped_model_are_those_in_its_text(shipped):
    """A second, much simpler reading of the file finds the same names in every equation."""
    text = bundled.model().read_text(encoding="utf-8")
    text = re.sub(r"\\\s*\n\s*", " ", text)
    # The clock's settings have blanks in their names.
    text = re.sub(r"\b(INITIAL|FINAL) TIME\b|\bTIME STEP\b", _joined, text)
    names = {element.name.replace(" ", "_") for element in shipped.elements}
    found = 0
    for entry in text.split("|"):
        left, equals, right = entry.split("~")[0].partition("=")
        name = re.split(r"[\[:]", left)[0].strip()
        if not equals or name not in names:
            continue
        words = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", re.sub(r"\[[^\]]*\]", " ", right)))
        element = shipped.element(name)
        links = {link.replace(" ", "_") for link in element.inputs + element.initial_inputs}
        assert links == words & names, name
        assert element.is_stock == right.strip().startswith("INTEG"), name
        found += 1
    assert found == len(names)


def _joined(words: re.Match[str]) -> str:
    return words.group().replace(" ", "_")


def test_people_of_the_shipped_model(shipped):
    assert shipped.element("migrants").dims == ("region", "dest")
    assert shipped.element("moves_out").sums == "moves"
    assert {term.name for term in shipped.element("migrants").inflows} >= {"moves"}
    assert shipped.element("migrants").sector == "people"
    assert all(element.kind != "memo" for element in shipped.sector("land").elements)
