"""The protocol of the back-test: one file, told apart by its content and sound in itself."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from hukou_opt.fit import protocol as module
from hukou_opt.fit.national import FITTED
from hukou_opt.fit.protocol import load_protocol
from hukou_opt.fit.score import MEASURES

PROTOCOL = load_protocol()
GIVEN = YAML(typ="safe").load(module.FILE.read_text(encoding="utf-8"))


@pytest.fixture
def another(tmp_path, monkeypatch):
    """The protocol as read from a changed copy."""

    def read(old, new):
        text = module.FILE.read_text(encoding="utf-8")
        assert old in text
        copy = tmp_path / "protocol.yaml"
        copy.write_text(text.replace(old, new, 1), encoding="utf-8")
        monkeypatch.setattr(module, "FILE", copy)
        load_protocol.cache_clear()
        return load_protocol()

    yield read
    load_protocol.cache_clear()


def test_the_identity_is_the_hash_of_the_file():
    assert PROTOCOL.identity == hashlib.sha256(module.FILE.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new"),
    [("seed: 20201101", "seed: 20201102"), ("ceiling: 0.90", "ceiling: 0.91"), ("# The", "# the")],
)
def test_the_identity_changes_with_the_content(another, old, new):
    assert another(old, new).identity != PROTOCOL.identity


def test_a_changed_window_is_read(another):
    changed = another("window: [2010, 2015]", "window: [2011, 2015]")
    assert changed.tests["revised"].first == 2011
    assert changed.tests["first_published"] == PROTOCOL.tests["first_published"]


def test_every_form_of_the_file_is_there_and_the_primary_was_fixed_before():
    assert set(PROTOCOL.forms) == {*GIVEN["forms"], *GIVEN["added_after_scoring"]}
    assert PROTOCOL.primary in GIVEN["forms"]
    for name, form in PROTOCOL.forms.items():
        assert form.name == name
        assert form.text
        assert form.added_later == (name in GIVEN["added_after_scoring"])


def test_forms_are_told_apart_by_what_they_do():
    does = {
        (each.pooled, each.damped, each.diagonal, each.ceiling, each.access_held)
        for each in PROTOCOL.forms.values()
    }
    assert len(does) == len(PROTOCOL.forms)
    for name, form in PROTOCOL.forms.items():
        given = {**GIVEN["forms"], **GIVEN["added_after_scoring"]}[name]
        assert (form.pooled, form.damped) == (given["pooled"], given["damped"])
        assert form.ceiling == given.get("ceiling")
        assert form.diagonal == given.get("diagonal", False)
        assert form.access_held == given.get("access_held", False)


def test_what_is_fitted_and_scored_is_what_the_code_fits_and_scores():
    assert tuple(GIVEN["fitted"]) == FITTED
    assert set(PROTOCOL.naive) == set(MEASURES)
    for name, measure in MEASURES.items():
        assert ("percentage points" in GIVEN["score"][name]) == (not measure.relative)
    score = GIVEN["score"]
    assert (PROTOCOL.level, PROTOCOL.draws, PROTOCOL.seed) == (
        score["interval"],
        score["draws"],
        score["seed"],
    )


@pytest.mark.parametrize("name", PROTOCOL.tests)
def test_a_test_forecasts_what_lies_ahead_and_admits_hindsight(name):
    test = PROTOCOL.tests[name]
    assert test.first < test.last < test.target
    # The last figure of the window was published the year after it at the earliest.
    assert test.known_by > test.last
    # Hindsight is to know figures of the target year, published after it.
    assert test.hindsight == (test.known_by > test.target)


def test_years_ahead_run_from_middle_to_middle():
    test = PROTOCOL.tests["to_2023"]
    assert test.ahead == 3
    middle, ahead = (2015 + 2020) / 2, (2020 + 2023) / 2
    assert test.years_ahead == pytest.approx(ahead - middle)
    later = replace(test, target=2030)
    assert later.ahead == 10
    assert later.years_ahead == pytest.approx(7.5)
