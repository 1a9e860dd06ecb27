"""From a Vensim model file to a Python module that is safe to run, kept in a private cache.

The text is rendered for the regions and years in use, parsed by PySD, stripped of every comment
(PySD would paste comments into code), built, audited and stored under a key made of all that
determines it. Nothing is ever written beside the model file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hukou_opt.dynamics.audit import audit
from hukou_opt.dynamics.parse import (
    DIGITS,
    abstract_model,
    cannot_be_translated,
    import_pysd,
    rendered,
)
from hukou_opt.errors import Fault, ModelError

#: Changes with every change of rendering, blanking or audit, so that old translations are not used.
TRANSLATION_VERSION = "1"
CACHE_VARIABLE = "HUKOU_OPT_CACHE"
MODULE_NAME = "model.py"


@dataclass(frozen=True)
class Translation:
    """A model ready to be loaded by PySD.

    Parameters
    ----------
    module : Path
        Generated Python module in the cache.
    identity : str
        SHA-256 of the model file's text, as rendered.
    subscripts : dict of str to str
        Safe subscript of each region code.
    """

    module: Path
    identity: str
    subscripts: dict[str, str]


def cache_folder() -> Path:
    """Private folder of translated models, made if it does not exist.

    The environment variable ``HUKOU_OPT_CACHE`` names another one.

    Raises
    ------
    ModelError
        If the folder cannot be made, or others may write into it.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        folder = Path(named).expanduser()
    elif os.name == "nt":
        local = os.environ.get("LOCALAPPDATA")
        folder = (Path(local) if local else Path.home() / "AppData" / "Local") / "hukou_opt"
    else:
        shared = os.environ.get("XDG_CACHE_HOME")
        folder = (Path(shared) if shared else Path.home() / ".cache") / "hukou_opt"
    folder = folder / "models"
    hint = f"set {CACHE_VARIABLE} to a folder of your own"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(Fault(str(folder), f"cannot be made ({error})", hint)) from error
    if os.name != "nt":
        status = folder.stat()
        if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ModelError(
                Fault(str(folder), "belongs to others or others may write into it", hint)
            )
    return folder


def translate(
    path: Path, codes: Sequence[str], years: Sequence[int], *, trust: bool = False
) -> Translation:
    """Translate a model for the regions and years in use, or find it in the cache.

    Parameters
    ----------
    path : Path
        Vensim model file.
    codes : sequence of str
        Region codes.
    years : sequence of int
        Consecutive calendar years of the run, the base year not included.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Raises
    ------
    ModelError
        If the model is not trusted, cannot be rendered or parsed, or does not pass the audit.
    """
    text, identity, subscripts = rendered(path, codes, years, trust=trust)
    pysd = import_pysd()
    parts = [identity, ",".join(codes), pysd.__version__, np.__version__, TRANSLATION_VERSION]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    folder = cache_folder() / key
    if not (folder / MODULE_NAME).is_file():
        _build_into(folder, text, path.name)
    # The cache is read again at every use: what runs is what was audited.
    audit((folder / MODULE_NAME).read_text(encoding="utf-8"), path.name)
    return Translation(folder / MODULE_NAME, identity, subscripts)


def _build_into(folder: Path, text: str, name: str) -> None:
    """Build in a folder of its own and move it into place in one step."""
    work = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    try:
        model = work / MODULE_NAME
        _build(text, model, name)
        audit(model.read_text(encoding="utf-8"), name)
        try:
            work.replace(folder)
        except OSError:
            # Another process was first; its module comes from the same text.
            if not (folder / MODULE_NAME).is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _build(text: str, module: Path, name: str) -> None:
    model = abstract_model(text, name, module.with_suffix(".mdl"))
    # PySD would paste comments into code.
    for section in model.sections:
        for element in section.elements:
            element.documentation = ""
    from pysd.builders.python.python_model_builder import ModelBuilder

    try:
        with warnings.catch_warnings(), np.printoptions(precision=DIGITS, floatmode="maxprec"):
            warnings.simplefilter("ignore", DeprecationWarning)
            ModelBuilder(model).build_model()
    except Exception as error:
        # The builder raises many kinds of errors as well.
        raise cannot_be_translated(name, error) from error
