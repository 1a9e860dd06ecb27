"""Rendering of regions and years, translation in the private cache, refusal of unsafe models."""

from __future__ import annotations

import ast
import shutil
import stat
from pathlib import Path

import pytest
from small_model import TEXT as SMALL

from hukou_opt import bundled
from hukou_opt.dynamics.audit import audit
from hukou_opt.dynamics.render import render, subscripts_for
from hukou_opt.dynamics.translate import cache_folder, translate
from hukou_opt.errors import ModelError

YEARS = range(2024, 2027)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HUKOU_OPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path):
    def writer(text: str) -> Path:
        path = tmp_path / "own.mdl"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_codes_that_are_no_plain_words_get_numbered_subscripts():
    assert subscripts_for(["110000", "B"]) == {"110000": "r110000", "B": "rB"}
    assert subscripts_for(["a b", "c,d"]) == {"a b": "r0001", "c,d": "r0002"}
    # Vensim does not heed capital letters.
    assert subscripts_for(["a", "A"]) == {"a": "r0001", "A": "r0002"}


def test_a_region_that_stands_twice_is_refused():
    with pytest.raises(ModelError, match="'x'"):
        subscripts_for(["x", "y", "x"])


def test_the_shipped_model_takes_regions_and_years():
    text = render(bundled.model(), ["r1", "r2", "r3"], range(2021, 2024))
    assert "r110000" not in text
    assert "year: (y2021-y2023)" in text
    assert "year0: (y2020-y2023)" in text
    assert "INITIAL TIME = 2020" in text


def test_a_model_without_the_region_range_is_refused(write):
    path = write(SMALL.replace("region: r1, r2", "place: r1, r2"))
    with pytest.raises(ModelError, match="range 'region' 0 times"):
        render(path, ["r1"], YEARS)


@pytest.mark.parametrize(
    "expression",
    [
        "GET DIRECT CONSTANTS('../secret.csv', ',', 'B2')",
        "GET DIRECT DATA('/etc/passwd', ',', 'A', 'B2')",
        "get xls constants('x.xlsx', 'S', 'B2')",
    ],
)
def test_a_model_that_reads_files_is_refused(write, expression):
    path = write(SMALL.replace("growth[region]= 0.1", f"growth[region]= {expression}"))
    with pytest.raises(ModelError, match="reads another file"):
        translate(path, ["1", "2"], YEARS, trust=True)


def test_a_model_from_elsewhere_needs_trust(write):
    path = write(SMALL)
    with pytest.raises(ModelError, match="not a model of the toolkit"):
        translate(path, ["1", "2"], YEARS)
    assert translate(path, ["1", "2"], YEARS, trust=True).module.is_file()


def test_code_in_a_comment_stays_inert(write, tmp_path):
    target = tmp_path / "ran"
    payload = f'hi """;open({str(target)!r}, "w").close();""" bye'
    path = write(SMALL.replace("COMMENT", payload))
    translation = translate(path, ["1", "2"], YEARS, trust=True)
    text = translation.module.read_text(encoding="utf-8")
    assert "open(" not in text
    compile(text, "model", "exec")
    assert not target.exists()


def test_names_that_break_out_of_code_are_refused(write):
    path = write(SMALL.replace("growth[region]= 0.1", '"x\\"+open"[region]= 0.1'))
    with pytest.raises(ModelError):
        translate(path, ["1", "2"], YEARS, trust=True)


def test_names_that_differ_in_case_only_are_refused(write):
    path = write(SMALL + "\nGrowth = 1\n\t~ 1 ~ |\n")
    with pytest.raises(ModelError, match="cannot tell apart"):
        translate(path, ["1", "2"], YEARS, trust=True)


def test_a_text_that_is_no_model_gives_one_clear_error(write):
    path = write(SMALL.replace("INTEG(gain", "INTEG((gain"))
    with pytest.raises(ModelError, match="cannot be translated"):
        translate(path, ["1", "2"], YEARS, trust=True)


def test_nothing_appears_beside_the_model(write, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    path = shutil.copy(write(SMALL), folder / "own.mdl")
    translate(Path(path), ["1", "2"], YEARS, trust=True)
    assert [entry.name for entry in folder.iterdir()] == ["own.mdl"]


def test_the_translation_is_found_again_and_an_edit_makes_a_new_one(write):
    path = write(SMALL)
    first = translate(path, ["1", "2"], YEARS, trust=True)
    stamp = first.module.stat().st_mtime_ns
    assert translate(path, ["1", "2"], YEARS, trust=True).module.stat().st_mtime_ns == stamp
    other = translate(write(SMALL.replace("= 0.1", "= 0.2")), ["1", "2"], YEARS, trust=True)
    assert other.module != first.module
    assert translate(path, ["2", "1"], YEARS, trust=True).module != first.module


def test_a_cache_that_others_may_write_to_is_refused(cache):
    folder = cache / "models"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777
    with pytest.raises(ModelError, match="others may write"):
        cache_folder()


def test_a_tampered_cache_is_refused(write):
    path = write(SMALL)
    module = translate(path, ["1", "2"], YEARS, trust=True).module
    module.write_text(module.read_text(encoding="utf-8") + "\nprint(1)\n", encoding="utf-8")
    with pytest.raises(ModelError, match="'print'"):
        translate(path, ["1", "2"], YEARS, trust=True)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import os\n", "imports"),
        ("from pathlib import Path, PurePath\n", "imports"),
        ("import numpy as np\nx = np.fromfile\n", "'fromfile'"),
        ("x = open\n", "'open'"),
        ("x = __import__\n", "'__import__'"),
        ("x = ().__class__\n", "'__class__'"),
        ("x = (lambda: 1)()\n", "result of an expression"),
        ("def f():\n    return 1\nf()\n", "no definition"),
        ("class A:\n    pass\n", "'ClassDef'"),
        ("x = [y for y in (1, 2)]\n", "'ListComp'"),
        ("x = f'{1}'\n", "'JoinedStr'"),
    ],
)
def test_the_audit_refuses(code, complaint):
    ast.parse(code)
    with pytest.raises(ModelError, match=complaint.replace("(", r"\(")):
        audit(code, "x.mdl")


def test_the_audit_accepts_what_a_model_needs():
    audit("import numpy as np\n\n\ndef f():\n    return np.maximum(1, 2)\n", "x.mdl")
