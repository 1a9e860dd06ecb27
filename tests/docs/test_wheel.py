"""The built package carries its data, model and experiments, and works from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hukou_opt

TOP = Path(hukou_opt.__file__).resolve().parents[1]

LOOK = """
import sys
from pathlib import Path
import hukou_opt as ho
from hukou_opt import bundled
from hukou_opt.parameters.registry import load_parameters
from hukou_opt.plan.facts import load_facts

here = Path(sys.argv[1])
assert Path(ho.__file__).is_relative_to(here), ho.__file__
assert bundled.model().is_relative_to(here)
assert bundled.model().read_bytes() == Path(sys.argv[2]).read_bytes()
assert ho.load_experiment("floor_as_law").allocation.rules.support_floor == "law"
assert len(ho.load_regions().table) == 31
assert load_parameters()["central_fund_total"] > 0
assert len(load_facts()) > 200
print("whole")
"""


@pytest.mark.slow
def test_the_wheel_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    build += ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(TOP)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(site), str(TOP / "models" / "hukou.mdl")],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "whole"
