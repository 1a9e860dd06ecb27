"""What the project's own files promise: versions agree, commands exist, the lock is usable."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import hukou_opt

TOP = Path(hukou_opt.__file__).resolve().parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    found = [re.match(r"[A-Za-z0-9._-]+", item) for item in requirements]
    return {match.group().lower().replace("_", "-").replace(".", "-") for match in found if match}


@pytest.fixture(scope="module")
def locked() -> str:
    return (TOP / "requirements.lock").read_text(encoding="utf-8")


def test_versions_agree() -> None:
    citation = (TOP / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {hukou_opt.__version__}\n" in citation


def test_the_lock_holds_every_dependency_with_hashes(locked: str) -> None:
    project = PROJECT["project"]
    wanted = names(project["dependencies"])
    for extra, items in project["optional-dependencies"].items():
        # What only a benchmark needs is not set up with the rest.
        if extra not in ("dev", "bench"):
            wanted |= names(items)
    pins = re.split(r"\n(?=[a-z0-9])", locked)
    held = {re.match(r"[a-z0-9-]+", pin).group() for pin in pins}  # type: ignore[union-attr]
    assert wanted <= held
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in locked
    assert "--index" not in locked
    assert "--find-links" not in locked


def test_pins_hold(locked: str) -> None:
    assert "\npysd==3.14.3 " in locked
    assert "\nhighspy==1.14.0 " not in locked


def test_every_change_says_whether_results_change() -> None:
    text = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = text.split("\n## ")[1:]
    assert versions
    assert all("### Results change" in version for version in versions)


def test_make_targets_that_are_promised_exist() -> None:
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    told = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"make (\w+)", told))
    assert {"run", "test", "lint", "lock"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
