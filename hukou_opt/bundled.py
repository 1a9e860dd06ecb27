"""The one way to a model, an experiment or a data file that ships with the toolkit.

In a checkout the folders ``models/`` and ``experiments/`` at the top are used, so that an edit
changes the next run; an installed wheel carries copies inside the package.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def folder(kind: str) -> Path:
    """Return the folder of shipped files of one kind.

    Parameters
    ----------
    kind : {"models", "experiments"}
        Which shipped files are wanted.

    Returns
    -------
    Path
        The checkout's folder when the package lies in a checkout, else the copy in the wheel.
    """
    top = PACKAGE.parent
    checkout = top / kind
    if checkout.is_dir() and (top / "pyproject.toml").is_file():
        return checkout
    return PACKAGE / "bundled_files" / kind


def model(name: str = "hukou") -> Path:
    """Path of a shipped Vensim model, by name without ending."""
    return folder("models") / f"{name}.mdl"


def experiments() -> dict[str, Path]:
    """Name and path of every shipped experiment, sorted by name."""
    return {path.stem: path for path in sorted(folder("experiments").glob("*.yaml"))}


def data_folder(name: str = "china_provinces") -> Path:
    """Folder of a shipped region table, by name."""
    return PACKAGE / "regions" / name


def calibrations() -> dict[str, Path]:
    """Name and path of every shipped calibration, sorted by name."""
    return {path.stem: path for path in sorted((PACKAGE / "fit" / "calibrations").glob("*.yaml"))}
