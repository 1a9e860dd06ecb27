"""What the README shows works: its Python, its commands, its paths."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer

import hukou_opt as ho
from hukou_opt.cli import app

TOP = Path(ho.__file__).resolve().parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")
SHELL = ("console", "sh", "bash", "shell")
PROGRAMS = ("make", "hukou-opt")


def blocks(*languages: str) -> list[str]:
    """Fenced blocks in one of these languages, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def commands() -> list[list[str]]:
    """Command lines in fenced or indented blocks, as words without comments."""
    indented = re.findall(r"^    (\S.*)$", README, flags=re.MULTILINE)
    lines = "".join(blocks(*SHELL)).replace("\\\n", " ").splitlines() + indented
    named = [line.removeprefix("$ ") for line in lines]
    named = [line for line in named if Path(line.split(" ")[0]).name in PROGRAMS]
    return [shlex.split(line, comments=True) for line in named]


def test_there_is_something_to_check() -> None:
    assert blocks("python")
    programs = {line[0] for line in commands()}
    assert set(PROGRAMS) <= {Path(program).name for program in programs}
    assert blocks("yaml")


@pytest.mark.slow
def test_the_python_runs_as_written(
    spine: ho.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run itself is the one that all tests share; all else happens as printed."""

    def run(experiment: str, **options: object) -> ho.Result:
        assert set(options) <= {"progress"}
        assert ho.load_experiment(experiment).name == spine.name
        return spine

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ho, "run", run)
    names: dict[str, object] = {}
    for text in blocks("python"):
        exec(compile(text, "README.md", "exec"), names)
    assert spine in names.values()


def test_commands_and_options_exist() -> None:
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    for program, *arguments in commands():
        if Path(program).name == "make":
            targets = [word for word in arguments if "=" not in word]
            for target in targets:
                assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
        elif Path(program).name == "hukou-opt":
            known, rest = leaf(arguments)
            # Parses options and arguments as the command would, and runs nothing.
            with suppress(typer.Exit):  # --version and --help end here
                context = known.make_context(known.name, list(rest))
                experiment = context.params.get("experiment")
                if experiment and not experiment.endswith(".yaml"):
                    ho.load_experiment(experiment)


def leaf(arguments: list[str]) -> tuple[Any, list[str]]:
    """The command that these words name, and what is left of them."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"hukou-opt {' '.join(arguments)}"
        command = command.commands[name]
    return command, rest


@pytest.mark.parametrize("text", blocks("yaml"))
def test_experiment_files_are_accepted(text: str, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(text, encoding="utf-8")
    assert ho.load_experiment(file).name == "my"


def test_paths_in_links_exist() -> None:
    links = re.findall(r"\]\(([^)#\s]+)\)", README)
    for link in links:
        if "://" not in link:
            assert (TOP / link).exists(), link
