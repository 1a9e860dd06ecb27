"""The lists of rules and objectives: whole, in width, in valid LaTeX, and quick to ask for."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from unicodedata import east_asian_width

import pytest
from matplotlib.mathtext import MathTextParser
from typer.testing import CliRunner

from hukou_opt.allocation.notation import SYMBOLS
from hukou_opt.allocation.objectives import INDICES, MEASURES
from hukou_opt.allocation.rules import RULES
from hukou_opt.allocation.spec import SHIPPED
from hukou_opt.cli.app import app
from hukou_opt.cli.rules import KINDS, LANGUAGES
from hukou_opt.parameters import load_parameters

LISTED = {
    "rules": [rule.name for rule in RULES],
    "objectives": [*MEASURES, *INDICES, *SHIPPED],
}


def shown(*words: str, status: int = 0, width: int = 100) -> str:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": str(width)})
    assert result.exit_code == status, result.output
    return result.output


def size(line: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)


@pytest.mark.parametrize("command", LISTED)
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [80, 120])
def test_every_definition_is_shown_within_the_width(command: str, lang: str, width: int) -> None:
    lines = shown(command, "--lang", lang, width=width).splitlines()
    assert max(map(size, lines)) <= width
    names = [line.split(":")[0] for line in lines if re.match(r"[a-z_0-9]+: ", line)]
    assert sorted(names) == sorted(LISTED[command])


@pytest.mark.parametrize("command", LISTED)
def test_csv_has_a_line_for_each_definition(command: str) -> None:
    rows = list(csv.DictReader(io.StringIO(shown(command, "--format", "csv"))))
    assert sorted(row["name"] for row in rows) == sorted(LISTED[command])


def test_rules_come_with_their_switch_and_the_values_of_their_parameters() -> None:
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(shown("rules", "--format=csv")))}
    registry = load_parameters()
    for rule in RULES:
        row = rows[rule.name]
        assert (row["equation"], row["latex"]) == (rule.equation, rule.latex)
        assert (row["unit"], row["source"]) == (rule.unit, rule.section)
        for name in rule.parameters:
            assert f"{name} = {registry[name]:g}" in row["parameters"]
        if rule.modes:
            assert row["switch"].startswith(f"allocation.rules.{rule.key}: ")
            assert f"{rule.default} (default)" in row["switch"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(kind: str) -> None:
    rows = list(csv.DictReader(io.StringIO(shown("rules", "--only", kind, "--format", "csv"))))
    assert {row["name"] for row in rows} == {rule.name for rule in RULES if rule.kind == kind}


@pytest.mark.parametrize("command", LISTED)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_latex_is_balanced(command: str, lang: str) -> None:
    text = shown(command, "--format", "latex", "--lang", lang)
    plain = re.sub(r"\\[\\{}$&%#_]", "", text)
    depth = 0
    for letter in plain:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    assert plain.count("$") % 2 == 0
    assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right")
    for begun, ended in (("begin", "end"), ("toprule", "bottomrule")):
        assert text.count(f"\\{begun}") >= 1
        assert text.count(f"\\{ended}") >= 1
    body = plain.split(r"\endlastfoot")[1].split(r"\end{longtable}")[0]
    outside = re.sub(r"\$[^$]*\$", "", body)
    assert not re.search(r"(?<!\\)[_^#%]", outside)
    for line in body.splitlines():
        if line.startswith(r"\texttt"):
            assert line.count("&") == 3


def letters(latex: str) -> set[str]:
    """Variables of an equation: letters and Greek commands, indices and words left out."""
    text = re.sub(r"\\(?:mathrm|text)\{[^}]*\}", "", latex)
    # Indices are explained once for all.
    text = re.sub(r"_(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|\w)", "", text)
    text = re.sub(r"\^(?:\{[^{}]*\}|[*A-Z])", "", text)
    text = re.sub(
        r"\\(?:left|right|Bigl|Bigr|min|max|sum|frac|qquad|quad|bar|le|ge|in|propto)\b", " ", text
    )
    return set(re.findall(r"\\[A-Za-z]+|[A-Za-z]", text))


def test_every_letter_of_the_equations_is_explained() -> None:
    known = set().union(*(letters(symbol.latex) for symbol in SYMBOLS))
    missing = {rule.name: letters(rule.latex) - known for rule in RULES}
    assert not {name: found for name, found in missing.items() if found}


@pytest.mark.parametrize(
    ("ending", "head"), [(".tex", "% needs"), (".csv", "name,"), (".md", "## ")]
)
def test_the_ending_of_the_file_tells_the_format(tmp_path: Path, ending: str, head: str) -> None:
    path = tmp_path / f"rules{ending}"
    assert f"Written to {path}" in shown("rules", "--out", str(path)).replace("\n", "")
    assert path.read_text(encoding="utf-8").startswith(head)


def test_wrong_options_are_named_together(tmp_path: Path) -> None:
    output = shown(
        *("rules", "--format", "pdf", "--lang", "fr", "--only", "hrd", "--out", str(tmp_path)),
        status=2,
    )
    for words in ("4 faults", "'pdf'", "'fr'", "did you mean 'hard'?", "is a folder"):
        assert words in output


def test_chinese_lists_have_chinese_sources_and_units() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("rules", "--lang", "zh", "--format", "csv"))))
    for row in rows:
        for word in ("title", "group", "unit", "source"):
            assert not re.search(r"[a-z]{2,}", row[word]), row[word]


@pytest.mark.parametrize("command", LISTED)
def test_another_reader_of_mathematics_reads_every_equation(command: str) -> None:
    parser = MathTextParser("path")
    for row in csv.DictReader(io.StringIO(shown(command, "--format", "csv"))):
        # It knows no sizes of brackets, no text, and the long names of the relations alone.
        text = re.sub(r"\\(?:Bigl|Bigr|Big|big)\b", "", row["latex"])
        text = re.sub(r"\\(?:text|operatorname)\{([^}]*)\}", r"\\mathrm{\1}", text)
        text = re.sub(r"\\(le|ge)(?![A-Za-z])", r"\\\1q", text)
        text = re.sub(r"\\tfrac(\d)(\w)", r"\\frac{\1}{\2}", text)
        if text:
            parser.parse(f"${text}$")
