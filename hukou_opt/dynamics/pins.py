"""Which models ship with the toolkit, by the SHA-256 of their text.

A bundled model that was edited runs in a checkout and is reported as modified. After an edit that
is meant to ship, ``python -m hukou_opt.dynamics.pins`` writes the pins anew.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Literal

from hukou_opt import bundled

#: Whether a model ships as it stands, is an edited copy of the checkout, or comes from elsewhere.
State = Literal["bundled", "modified", "foreign"]
FILE = Path(__file__).resolve().with_name("pins.csv")
COMMAND = "python -m hukou_opt.dynamics.pins"
SUFFIX = ".mdl"


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's content with line ends normalised, in hexadecimal."""
    content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return hashlib.sha256(content).hexdigest()


def pinned() -> dict[str, str]:
    """SHA-256 of every shipped model by file name, as it was pinned."""
    with FILE.open(encoding="utf-8", newline="") as handle:
        return {row["file"]: row["sha256"] for row in csv.DictReader(handle)}


def present() -> dict[str, str]:
    """SHA-256 of every model in the folder of shipped models, as it stands now."""
    return {
        path.name: fingerprint(path) for path in sorted(bundled.folder("models").glob(f"*{SUFFIX}"))
    }


def state(path: Path) -> State:
    """Whether a model ships with the toolkit as it stands.

    Parameters
    ----------
    path : Path
        Vensim model file.

    Returns
    -------
    {"bundled", "modified", "foreign"}
        ``bundled``: a shipped model, unchanged. ``modified``: it lies where the shipped models lie,
        with another text. ``foreign``: it lies elsewhere, a copy of a shipped model included.
    """
    real = Path(path).resolve()
    if real.parent != bundled.folder("models").resolve() or not real.is_file():
        return "foreign"
    return "bundled" if pinned().get(real.name) == fingerprint(real) else "modified"


def in_checkout() -> bool:
    """Whether the shipped models are those of a checkout, where edits are meant to run."""
    return bundled.folder("models").resolve().parent != bundled.PACKAGE / "bundled_files"


def write_pins() -> None:
    """Pin the models in the folder of shipped models as they stand."""
    lines = ["file,sha256", *(f"{name},{digest}" for name, digest in present().items())]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_pins()
