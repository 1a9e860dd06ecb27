"""From a Vensim model file to syntax trees, safely: nothing of the file is run or written beside.

The text is rendered for the regions and years in use and parsed by PySD; names that are no plain
words are refused. Comments stay what they are: text, which whoever builds code must strip.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hukou_opt.dynamics.render import render, subscripts_for
from hukou_opt.errors import Fault, ModelError

#: Digits that survive a round trip through text; PySD would keep eight.
DIGITS = 17
SAFE_NAME = re.compile(r"[^\W\d][\w ]*")


@dataclass(frozen=True)
class Parsed:
    """A model file as syntax trees.

    Parameters
    ----------
    tree : AbstractModel
        As PySD parses it, comments included.
    text : str
        The file's text with the regions and years in use.
    identity : str
        SHA-256 of this text.
    subscripts : dict of str to str
        Safe subscript of each region code.
    """

    tree: Any
    text: str
    identity: str
    subscripts: dict[str, str]


def plain(name: str) -> str:
    """A name as Vensim compares it: lower case, blanks as underscores, without quotes."""
    return re.sub(r"[\s_]+", "_", name.strip().strip('"').casefold())


def import_pysd() -> Any:
    """Import PySD without the deprecation warnings of libraries that it loads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pysd
    return pysd


def rendered(
    path: Path, codes: Sequence[str], years: Sequence[int], *, trust: bool = False
) -> tuple[str, str, dict[str, str]]:
    """Text of a model for the regions and years in use, its SHA-256, and the safe subscripts.

    Raises
    ------
    ModelError
        If the model is not trusted, cannot be rendered, or has names that Vensim takes for one.
    """
    require_trust(path, trust)
    subscripts = subscripts_for(codes)
    text = render(path, list(subscripts.values()), years)
    refuse_names_alike(text, path.name)
    return text, hashlib.sha256(text.encode()).hexdigest(), subscripts


def parsed(
    path: Path, codes: Sequence[str], years: Sequence[int], *, trust: bool = False
) -> Parsed:
    """Parse a model for the regions and years in use.

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
        If the model is not trusted, cannot be rendered or parsed, or has names that are no words.
    """
    text, identity, subscripts = rendered(Path(path), codes, years, trust=trust)
    with tempfile.TemporaryDirectory(prefix="hukou-opt-") as folder:
        tree = abstract_model(text, path.name, Path(folder) / "model.mdl")
    return Parsed(tree, text, identity, subscripts)


def abstract_model(text: str, name: str, source: Path) -> Any:
    """PySD's abstract model of a text.

    Parameters
    ----------
    text : str
        Rendered text of a model file.
    name : str
        Name of the file, for messages.
    source : Path
        File in a folder of one's own into which the text is written for the parser.

    Raises
    ------
    ModelError
        If PySD cannot parse the text, or a name is no plain word.
    """
    import_pysd()
    from pysd.translators.vensim.vensim_file import VensimFile

    source.write_text(text, encoding="utf-8")
    try:
        with warnings.catch_warnings(), np.printoptions(precision=DIGITS, floatmode="maxprec"):
            warnings.simplefilter("ignore", DeprecationWarning)
            # The text was written in UTF-8 just now, whatever its first line says.
            warnings.filterwarnings("ignore", message="No encoding specified")
            file = VensimFile(source)
            file.parse()
            model = file.get_abstract_model()
    except Exception as error:
        # The parser raises many kinds of errors; to the user they are one: it is no valid model.
        raise cannot_be_translated(name, error) from error
    if len(model.sections) != 1:
        # Each further section would become a module of its own that nobody has audited.
        raise ModelError(Fault(name, "contains a macro", "write the macro out as equations"))
    # PySD gives all aliases of all models one list of mappings, to which its builder adds.
    for section in model.sections:
        for item in section.subscripts:
            if isinstance(item.subscripts, str):
                item.mapping = []
    _refuse_unsafe_names(model, name)
    return model


def cannot_be_translated(name: str, error: Exception) -> ModelError:
    """The one error for all that a parser or builder may raise."""
    what = f"cannot be translated ({type(error).__name__}: {str(error)[:300]})"
    fix = "open it in Vensim, or compare it with the shipped model"
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        what = f"uses a name that it does not define ({error.args[0]!r})"
        fix = "define it; names in comments and units do not count"
    elif isinstance(error, KeyError) and error.args == (str,):
        what = "has a text in quotes in an equation"
        fix = "a model may hold numbers and names only, and may not open files"
    return ModelError(Fault(name, what, fix))


def require_trust(path: Path, trust: bool) -> None:
    """Refuse a model that neither ships with the toolkit nor is trusted by the user.

    In a checkout an edited model of the toolkit runs; an installed toolkit has none to edit.
    """
    if trust:
        return
    # Imported here, so that ``python -m hukou_opt.dynamics.pins`` loads the module once.
    from hukou_opt.dynamics import pins

    state = pins.state(path)
    if state == "foreign":
        what = "is not a model of the toolkit"
    elif state == "modified" and not pins.in_checkout():
        what = "is a model of the toolkit that was changed after it was installed"
    else:
        return
    raise ModelError(
        Fault(
            str(path),
            what,
            "read it, then trust it: `trust_model: true` in the experiment, `--trust` on the "
            "command line, `trust=True` in Python; it is still audited",
        )
    )


def _refuse_unsafe_names(model: Any, name: str) -> None:
    """Refuse names that are no plain words: they would be pasted into code."""
    words = [
        word
        for section in model.sections
        for word in (
            *(element.name for element in section.elements),
            *(item.name for item in section.subscripts),
            *(
                entry
                for item in section.subscripts
                if isinstance(item.subscripts, list)
                for entry in item.subscripts
            ),
        )
    ]
    faults = [
        Fault(name, f"has the name {word!r}", "use letters, digits and blanks")
        for word in words
        if not SAFE_NAME.fullmatch(word)
    ]
    if faults:
        raise ModelError(faults)


def refuse_names_alike(text: str, name: str) -> None:
    """Refuse names that differ in case only; Vensim and PySD would take them for one."""
    seen: dict[str, str] = {}
    faults = []
    for entry in re.sub(r"\{[^}]*\}|\*{3,}[^|]*\|", "", text).split("|"):
        word = re.split(r"[\[=:(]|<->", entry.split("~")[0], maxsplit=1)[0].strip().strip('"')
        same = plain(word)
        if same and seen.setdefault(same, word) != word:
            faults.append(
                Fault(
                    name,
                    f"has two names that Vensim cannot tell apart ({seen[same]!r}, {word!r})",
                    "rename one; Vensim does not heed capital letters",
                )
            )
    if faults:
        raise ModelError(faults)
