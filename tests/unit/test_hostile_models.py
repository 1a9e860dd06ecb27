"""Model files that want more than to simulate: payload inert, a clear message, nothing written."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from small_model import CODES, TEXT, YEARS

from hukou_opt.dynamics.inputs import no_decisions
from hukou_opt.dynamics.own_model import ReadingEngine, examine
from hukou_opt.dynamics.render import LARGEST_FILE_BYTES, regions_and_years
from hukou_opt.errors import ModelError

#: Breaks out of every kind of quotes that generated code may put around it.
PAYLOAD = 'hi """;open("ran","w").close();""" \' + open("ran","w") + \' \\" + open("ran","w")'
GROWTH = "growth[region]= 0.1"
SCALE = "scale= 1\n"


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the model is alone and the process works; the cache lies elsewhere."""
    monkeypatch.setenv("HUKOU_OPT_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def simulate(text: str, folder: Path) -> ReadingEngine:
    """Run a model; afterwards its file must be alone and nothing of it must have run."""
    assert text != TEXT
    path = folder / "own.mdl"
    path.write_text(text, encoding="utf-8")
    try:
        engine = ReadingEngine(path, CODES, YEARS, time_step=1.0, trust=True)
        engine.run(no_decisions(CODES, YEARS))
        return engine
    finally:
        assert [entry.name for entry in folder.iterdir()] == ["own.mdl"]
        assert not list(folder.parent.rglob("ran"))
        assert path.read_text(encoding="utf-8") == text


INERT = {
    "comment": TEXT.replace("COMMENT", PAYLOAD),
    "unit": TEXT.replace("~ 1/year ~", f"~ {PAYLOAD} ~"),
    "unit with one quote": TEXT.replace("~ 1/year ~", "~ 1/year'+open('ran','w')+' ~"),
    "comment of a range": TEXT.replace(
        "dest <-> region\n\t~\t~\t|", f"dest <-> region\n~~{PAYLOAD}|"
    ),
    "comment of a decision": TEXT.replace(
        "bonds[region,year]= 0\n\t~ hundred million yuan/year ~",
        f"bonds[region,year]= 0\n\t~ yuan ~ {PAYLOAD}",
    ),
    "comment of the clock": TEXT.replace(
        "SAVEPER = 1\n\t~ year ~", f"SAVEPER = 1\n\t~ year ~{PAYLOAD}"
    ),
    "words that read files, in a comment": TEXT.replace("COMMENT", "We get data from GET XLS DATA"),
    "subscript": TEXT.replace(
        "dest <-> region", "kind: import os, other\n~~|\nextra[kind]= 1, 2\n~ 1 ~|\ndest <-> region"
    ),
    "variable": TEXT.replace("scale", "__import__"),
    "variable of Python": TEXT.replace("scale", "exec"),
    "null": TEXT.replace("COMMENT", "\x00 null"),
    "after the equations": TEXT + f"\\\\\\---/// Sketch\n{PAYLOAD}\n:MACRO: x\n",
}


@pytest.mark.parametrize("name", INERT)
def test_a_payload_that_is_words_stays_words(name: str, workplace: Path) -> None:
    engine = simulate(INERT[name], workplace)
    assert engine.variables["stock"].kind == "Stateful"
    module = engine._translation.module.read_text(encoding="utf-8")
    assert "import os\n" not in module
    # Where it is kept at all, it is the text of a unit.
    code = re.sub(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"", "", module)
    assert "open(" not in code


REFUSED = {
    "GET DIRECT CONSTANTS": (
        TEXT.replace(GROWTH, "growth[region]= GET DIRECT CONSTANTS('../secret.csv', ',', 'B2')"),
        "reads another file",
    ),
    "absolute path": (
        TEXT.replace(GROWTH, "growth[region]= GET DIRECT CONSTANTS('/etc/passwd', ',', 'B2')"),
        "reads another file",
    ),
    "GET DIRECT DATA": (
        TEXT.replace(SCALE, "scale:= GET DIRECT DATA('s.csv', ',', 'A', 'B2')\n"),
        "reads another file",
    ),
    "GET DIRECT LOOKUPS": (
        TEXT.replace(SCALE, "scale(GET DIRECT LOOKUPS('s.csv', ',', '1', 'B2'))\n"),
        "reads another file",
    ),
    "GET DIRECT SUBSCRIPT": (
        TEXT.replace(
            "dest <->", "kind: GET DIRECT SUBSCRIPT('s.csv', ',', 'A2', 'A', '')\n~~|\ndest <->"
        ),
        "reads another file",
    ),
    "GET XLS CONSTANTS": (
        TEXT.replace(GROWTH, "growth[region]= get xls constants('x.xlsx', 'S', 'B2')"),
        "reads another file",
    ),
    "GET 123 CONSTANTS": (
        TEXT.replace(GROWTH, "growth[region]= GET 123 CONSTANTS('x', 'S', 'B2')"),
        "reads another file",
    ),
    "GET VDF CONSTANTS": (
        TEXT.replace(GROWTH, "growth[region]= GET VDF CONSTANTS('x.vdf', 'y', 1)"),
        "reads another file",
    ),
    "GET ODBC": (
        TEXT.replace(SCALE, "scale= GET ODBC('x')\n"),
        "reads another file",
    ),
    "on two lines": (
        TEXT.replace(GROWTH, "growth[region]= GET \\\n\t DIRECT CONSTANTS('s.csv', ',', 'B2')"),
        "reads another file",
    ),
    "with a comment between": (
        TEXT.replace(GROWTH, "growth[region]= GET {x} XLS CONSTANTS('s.xlsx', 'S', 'B2')"),
        "reads another file",
    ),
    "with underscores": (
        TEXT.replace(GROWTH, "growth[region]= GET_DIRECT_CONSTANTS('s.csv', ',', 'B2')"),
        "reads another file",
    ),
    "data without an equation": (TEXT.replace(SCALE, "scale:RAW:\n"), "TabData"),
    "macro": (":MACRO: F(x)\nF = x\n~~|\n:END OF MACRO:\n" + TEXT, "contains a macro"),
    "macro in small letters": (
        ":macro: F(x)\nF = x\n~~|\n:end of macro:\n" + TEXT,
        "contains a macro",
    ),
    "name with quotes": (TEXT.replace("scale", '"sc\'ale"'), "has the name"),
    "name that ends a string": (TEXT.replace("scale", '"x\\"+open(1)+\\""'), "own.mdl"),
    "subscript with a call": (
        TEXT.replace("dest <->", "kind: __import__('os'), b\n~~|\ndest <->"),
        "cannot be translated",
    ),
    "names alike": (TEXT + "Growth = 1\n\t~ 1 ~ |\n", "cannot tell apart"),
    "text in an equation": (
        TEXT.replace(SCALE, "scale= open('ran')\n"),
        "has a text in quotes in an equation",
    ),
    "text in a known function": (
        TEXT.replace(SCALE, "scale= ABS('ran')\n"),
        "own.mdl",
    ),
    "function of Python": (
        TEXT.replace(SCALE, "scale= eval(1)\n"),
        "uses the function 'EVAL', which is unknown",
    ),
    "unknown function": (
        TEXT.replace(SCALE, "scale= FOO(1)\n"),
        "uses the function 'FOO', which is unknown",
    ),
    "name that is not defined": (
        TEXT.replace(SCALE, "scale= nowhere*2\n"),
        "uses a name that it does not define ('nowhere')",
    ),
    "equations in a circle": (
        TEXT.replace(SCALE, "scale= other\n~ 1 ~|\nother= scale*2\n"),
        "need each other in a circle",
    ),
    "random numbers": (TEXT.replace(SCALE, "scale= RANDOM UNIFORM(0, 1, 1)\n"), "'random'"),
    "too many figures": (
        TEXT.replace(GROWTH, "growth[region]= 0.1, 0.2, 0.3"),
        "cannot be translated",
    ),
    "too deep": (
        TEXT.replace(SCALE, f"scale= {'(' * 3000}1{')' * 3000}\n"),
        "cannot be translated",
    ),
    "no step": (TEXT.replace("TIME STEP = 1\n\t~ year ~ |\n", ""), "has TIME STEP 0 times"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_or_broken_model_is_refused(name: str, workplace: Path) -> None:
    text, words = REFUSED[name]
    with pytest.raises(ModelError) as caught:
        simulate(text, workplace)
    assert words in str(caught.value)
    assert "own.mdl" in str(caught.value)


@pytest.mark.parametrize(
    ("equation", "name", "value"),
    [
        ("fed[dest]= growth[dest]\n~ 1/year ~|\nmatrix[region,dest]= fed[dest]", "matrix", 0.1),
        ("fed[region]= 3\n~ 1 ~|\nmatrix[region,dest]= fed[dest]", "matrix", 3.0),
        (
            "lift= WITH LOOKUP(Time, ([(0,0)-(4000,9)],(0,2),(4000,2)))\n~ 1 ~|\n"
            "matrix[region,dest]= lift*growth[dest]",
            "matrix",
            0.2,
        ),
        ("matrix[region,dest]= SMOOTH(growth[dest], 2)", "matrix", 0.1),
    ],
)
def test_what_honest_models_use_passes_the_audit(
    equation: str, name: str, value: float, workplace: Path
) -> None:
    path = workplace / "own.mdl"
    path.write_text(TEXT.replace("matrix[region,dest]= 0", equation), encoding="utf-8")
    engine = ReadingEngine(path, CODES, YEARS, time_step=1.0, trust=True)
    run = engine.run(no_decisions(CODES, YEARS), (name,))
    assert run.data[name].dims == ("year", "region", "dest")
    assert np.allclose(run.data[name].values, value)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        ReadingEngine(path, CODES, YEARS, trust=True)
    with pytest.raises(ModelError):
        examine(path, trust=True)
    return str(caught.value)


def test_a_huge_file_is_not_read(workplace: Path) -> None:
    path = workplace / "own.mdl"
    path.write_text(TEXT, encoding="utf-8")
    os.truncate(path, LARGEST_FILE_BYTES + 1)
    assert "is too large for a model (20,000,001 bytes, at most 20,000,000)" in refusal(path)


def test_a_file_that_is_no_utf8_is_refused(workplace: Path) -> None:
    path = workplace / "own.mdl"
    path.write_bytes(TEXT.replace("COMMENT", "é").encode("latin-1"))
    assert "give a Vensim .mdl file in UTF-8" in refusal(path)


def test_a_folder_or_nothing_is_refused(workplace: Path) -> None:
    assert "is no file" in refusal(workplace)
    assert "is no file" in refusal(workplace / "missing.mdl")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes of that kind on this system")
def test_a_pipe_is_not_waited_for(workplace: Path) -> None:
    path = workplace / "own.mdl"
    os.mkfifo(path)
    assert "is no file" in refusal(path)


def test_a_mark_of_byte_order_is_no_fault(workplace: Path) -> None:
    path = workplace / "own.mdl"
    path.write_text("\ufeff" + TEXT, encoding="utf-8")
    assert regions_and_years(path) == (["1", "2"], range(2024, 2027))
    ReadingEngine(path, CODES, YEARS, trust=True)


def test_a_model_says_its_own_regions_and_years(workplace: Path) -> None:
    path = workplace / "own.mdl"
    path.write_text(TEXT.replace("region: r1, r2", "region: \\\n east, rwest"), encoding="utf-8")
    assert regions_and_years(path)[0] == ["east", "rwest"]
    path.write_text(TEXT.replace("region: r1, r2", "region: (r1-r2)"), encoding="utf-8")
    assert regions_and_years(path)[0] == ["1", "2"]
    path.write_text(TEXT.replace("FINAL TIME = 2026", "FINAL TIME = 2023"), encoding="utf-8")
    with pytest.raises(ModelError, match="ends before it begins"):
        regions_and_years(path)
    path.write_text(TEXT.replace("FINAL TIME = 2026", "FINAL TIME = later"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"FINAL TIME \| is no whole year"):
        regions_and_years(path)
