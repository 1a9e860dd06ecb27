"""Python in a process of its own, for tests of what must not depend on the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import hukou_opt

TESTS = Path(__file__).resolve().parent
TOP = Path(hukou_opt.__file__).resolve().parents[1]


def process(code: str, *arguments: str, seed: int, folder: Path | None = None) -> str:
    """Run Python in a process of its own, with another order of sets and hashes."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TOP), str(TESTS)]),
            "PYTHONHASHSEED": str(seed),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
