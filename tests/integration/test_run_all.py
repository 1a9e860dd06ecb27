"""A family from the command line: interrupted, taken up again, one variant at fault."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import hukou_opt
from hukou_opt.result import open_result

FAMILY = """\
extends: no_reform
variants:
  a: {title: {en: A}}
  b: {title: {en: B}, parameters: {projected_births: 800}}
  wrong: {title: {en: Wrong}, regions: none_such.csv}
"""
#: Seconds after which a call that should have ended has hung.
LONGEST = 300


def listening() -> None:
    """Let an interrupt reach this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def call(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    root = str(Path(hukou_opt.__file__).resolve().parents[1])
    code = "from hukou_opt.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", "family.yaml", "--out", "out", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Tests that run in the background inherit that interrupts are ignored.
        preexec_fn=listening,  # noqa: PLW1509
    )


def states(folder: Path) -> dict[str, str]:
    with (folder / "out" / "summary.csv").open(encoding="utf-8", newline="") as handle:
        return {line["name"]: line["state"] for line in csv.DictReader(handle)}


def test_a_call_that_was_interrupted_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "family.yaml").write_text(FAMILY, encoding="utf-8")
    first = call(tmp_path, "--jobs", "1", "--no-progress")
    until = time.monotonic() + LONGEST
    while not (tmp_path / "out" / "summary.csv").is_file():
        assert first.poll() is None, first.communicate()[0]
        assert time.monotonic() < until
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=LONGEST)
    assert first.returncode != 0
    assert states(tmp_path) == {"family.a": "ran"}
    one = open_result(tmp_path / "out" / "family.a" / "result.nc")
    assert not (tmp_path / "out" / "family.b" / "result.nc").exists()

    second = call(tmp_path, "--jobs", "2", "--no-progress")
    text = second.communicate(timeout=LONGEST)[0]
    assert second.returncode == 1, text
    assert states(tmp_path) == {
        "family.a": "kept",
        "family.b": "ran",
        "family.wrong": "failed",
    }
    assert "none_such.csv" in text
    assert "3 experiments: 1 kept, 1 ran, 1 failed" in text
    assert open_result(tmp_path / "out" / "family.a" / "result.nc") == one
    both = [open_result(tmp_path / "out" / f"family.{name}" / "result.nc") for name in "ab"]
    assert both[0] != both[1]
    assert (tmp_path / "out" / "family.b" / "path.csv").is_file()
    # What the first call was at when it was interrupted is cleaned up or done.
    assert not list((tmp_path / "out").glob("*/.part-*"))
