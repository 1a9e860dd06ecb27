"""The rules of the house that a linter can check; `make lint` runs the same contracts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hukou_opt

PACKAGE = Path(hukou_opt.__file__).resolve().parent
TOP = PACKAGE.parent
#: About four hundred lines; above it a file has two subjects.
LONGEST_FILE = 420


def test_import_contracts_hold() -> None:
    code = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["hukou_opt", "hukou_opt.errors", "hukou_opt.cli"])
def test_light_modules_stay_light(module: str) -> None:
    code = f"import {module}, sys; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True
    )
    for heavy in ("numpy", "pandas", "xarray", "pysd", "pyomo", "highspy", "matplotlib"):
        assert f"'{heavy}'" not in done.stdout


def test_a_saved_result_is_enough_for_tables() -> None:
    code = "import hukou_opt.report.accessor, sys; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True
    )
    for heavy in ("pysd", "pyomo", "highspy", "hukou_opt.dynamics", "hukou_opt.planning"):
        assert f"'{heavy}'" not in done.stdout


def test_files_have_one_subject() -> None:
    files = [*PACKAGE.rglob("*.py")]
    assert len(files) > 20
    long = {
        str(path.relative_to(TOP)): lines
        for path in files
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}
    assert not [path for path in files if path.stem in {"utils", "common", "helpers", "misc"}]


def test_public_names_can_be_had() -> None:
    for name in hukou_opt.__all__:
        assert getattr(hukou_opt, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hukou_opt.nothing
    assert set(hukou_opt.__all__) <= set(dir(hukou_opt))
