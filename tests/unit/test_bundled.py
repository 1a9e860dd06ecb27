from __future__ import annotations

from pathlib import Path

import pytest

from hukou_opt import bundled


def test_in_a_checkout_the_top_folders_are_used() -> None:
    top = bundled.PACKAGE.parent
    assert bundled.folder("experiments") == top / "experiments"
    assert "plan_as_written" in bundled.experiments()
    assert bundled.model() == top / "models" / "hukou.mdl"


def test_without_a_project_file_the_copies_in_the_package_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hukou_opt"
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(bundled, "PACKAGE", package)
    assert bundled.folder("models") == package / "bundled_files" / "models"
    (tmp_path / "pyproject.toml").touch()
    assert bundled.folder("models") == tmp_path / "models"
    assert bundled.folder("experiments") == package / "bundled_files" / "experiments"
