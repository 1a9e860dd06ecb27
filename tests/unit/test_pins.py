"""Pins of the models that ship: fresh, and telling shipped, edited and foreign files apart."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hukou_opt import bundled
from hukou_opt.dynamics import pins
from hukou_opt.dynamics.parse import require_trust
from hukou_opt.errors import ModelError


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of one's own: its folder of models with a copy of the shipped one."""
    models = tmp_path / "models"
    models.mkdir()
    shutil.copy(bundled.model(), models / "hukou.mdl")
    monkeypatch.setattr(bundled, "folder", lambda kind: tmp_path / kind)
    return models / "hukou.mdl"


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as an installed package has it."""
    package = tmp_path / "hukou_opt"
    models = package / "bundled_files" / "models"
    models.mkdir(parents=True)
    shutil.copy(bundled.model(), models / "hukou.mdl")
    monkeypatch.setattr(bundled, "PACKAGE", package)
    monkeypatch.setattr(bundled, "folder", lambda kind: package / "bundled_files" / kind)
    return models / "hukou.mdl"


def test_the_pins_are_fresh() -> None:
    assert pins.pinned() == pins.present(), (
        f"a shipped model was edited; if it is meant to ship, run: {pins.COMMAND}"
    )
    assert "hukou.mdl" in pins.pinned()


def test_the_shipped_model_is_bundled_and_a_copy_elsewhere_is_not(tmp_path: Path) -> None:
    assert pins.state(bundled.model()) == "bundled"
    copy = shutil.copy(bundled.model(), tmp_path / "hukou.mdl")
    assert pins.state(Path(copy)) == "foreign"
    assert pins.state(tmp_path / "missing.mdl") == "foreign"
    require_trust(bundled.model(), trust=False)


def test_line_ends_are_no_edit(elsewhere: Path) -> None:
    text = elsewhere.read_bytes()
    assert b"\r" not in text
    elsewhere.write_bytes(text.replace(b"\n", b"\r\n"))
    assert pins.state(elsewhere) == "bundled"


def test_one_changed_figure_is_an_edit(elsewhere: Path) -> None:
    text = elsewhere.read_text(encoding="utf-8")
    elsewhere.write_text(text.replace("lease_term= 20", "lease_term= 21"), encoding="utf-8")
    assert pins.state(elsewhere) == "modified"
    # In a checkout it runs: edits there are meant.
    require_trust(elsewhere, trust=False)


def test_a_new_file_among_the_models_is_an_edit_too(elsewhere: Path) -> None:
    new = elsewhere.with_name("other.mdl")
    shutil.copy(elsewhere, new)
    assert pins.state(new) == "modified"


def test_a_link_out_of_the_folder_is_foreign(elsewhere: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mdl"
    elsewhere.rename(outside)
    elsewhere.symlink_to(outside)
    assert pins.state(elsewhere) == "foreign"
    with pytest.raises(ModelError, match="not a model of the toolkit"):
        require_trust(elsewhere, trust=False)


def test_an_installed_model_that_was_changed_needs_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = installed(tmp_path, monkeypatch)
    require_trust(path, trust=False)
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match="changed after it was installed"):
        require_trust(path, trust=False)
    require_trust(path, trust=True)


def test_the_command_writes_the_pins(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "FILE", tmp_path / "pins.csv")
    elsewhere.write_text("{UTF-8}\n", encoding="utf-8")
    pins.write_pins()
    assert pins.pinned() == {"hukou.mdl": pins.fingerprint(elsewhere)}
    assert pins.state(elsewhere) == "bundled"


def test_the_command_loads_its_module_once(tmp_path: Path) -> None:
    """Python warns where ``-m`` names a module that its own package has loaded already."""
    code = "import hukou_opt.dynamics, sys; print('hukou_opt.dynamics.pins' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "False"
    assert pins.COMMAND.split()[-1] == pins.__name__
