"""A model of the user's own: run in words, and checked whole before it is used.

Such a model need not have all that the toolkit reads; `hukou_opt.dynamics.contract` says what it
must have.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hukou_opt.dynamics import pins
from hukou_opt.dynamics.contract import (
    Term,
    absent,
    computed,
    contract,
    offered,
    require_contract,
)
from hukou_opt.dynamics.engine import Trajectory
from hukou_opt.dynamics.exchange import Decisions
from hukou_opt.dynamics.inputs import no_decisions
from hukou_opt.dynamics.limits import settable
from hukou_opt.dynamics.outputs import outputs_of
from hukou_opt.dynamics.parse import require_trust
from hukou_opt.dynamics.pysd_engine import PysdEngine
from hukou_opt.dynamics.render import regions_and_years
from hukou_opt.errors import Fault, HukouOptError, ModelError

STATES = {
    "bundled": "a model of the toolkit",
    "modified": "a model of the toolkit, edited",
    "foreign": "a model of the user's own",
}


class ReadingEngine(PysdEngine):
    """PySD engine of a model that need not have all that the toolkit reads.

    Whatever goes wrong inside such a model is an error in words, not a traceback of PySD's. The
    arguments are those of `hukou_opt.dynamics.PysdEngine`.
    """

    def __init__(
        self,
        model_path: Path,
        codes: Sequence[str],
        years: Sequence[int],
        *,
        time_step: float = 0.25,
        trust: bool = False,
    ) -> None:
        with _in_words(Path(model_path).name), warnings.catch_warnings():
            # The audit refuses the function by name.
            warnings.filterwarnings("ignore", message="Trying to translate")
            super().__init__(model_path, codes, years, time_step=time_step, trust=trust)

    def run(self, decisions: Decisions, columns: Sequence[str] | None = None) -> Trajectory:
        """Simulate; by default all variables of the contract that the model has, and all states.

        Raises
        ------
        ModelError
            As the engine's own, and if the equations cannot be computed.
        """
        read = outputs_of(self.variables) if columns is None else columns
        with _in_words(self._name):
            return super().run(decisions, read)


@contextmanager
def _in_words(model: str) -> Iterator[None]:
    """Turn what a model's equations may raise inside PySD into the toolkit's error."""
    try:
        yield
    except HukouOptError:
        raise
    except RecursionError as error:
        raise ModelError(
            Fault(
                model,
                "has equations that need each other in a circle",
                "put a stock into the circle, or cut it",
            )
        ) from error
    except Exception as error:
        # PySD computes what the file says; what that raises can be of any kind.
        raise ModelError(
            Fault(
                model,
                f"cannot be computed ({type(error).__name__}: {str(error)[:300]})",
                "look at the equations, their ranges and the numbers of regional arrays",
            )
        ) from error


@dataclass(frozen=True)
class Examination:
    """What a check of a model found where the toolkit can run it.

    Parameters
    ----------
    words : str
        What the model is and what was done with it.
    required : int
        Required names, all of them there.
    taken, computed : tuple of str
        Offered names that the model declares as constants, and that it computes itself.
    absent : tuple of Term
        Optional names that it lacks.
    units : tuple of str
        Parts of equations whose units do not fit.
    """

    words: str
    required: int
    taken: tuple[str, ...]
    computed: tuple[str, ...]
    absent: tuple[Term, ...]
    units: tuple[str, ...]


def examine(path: Path, *, trust: bool = False) -> Examination:
    """Check a model whole, with its own regions, years and values: safety, contract, a run, units.

    Parameters
    ----------
    path : Path
        Vensim model file; it is read, and nothing is written beside it.
    trust : bool, optional
        Accept a model that does not ship with the toolkit.

    Raises
    ------
    ModelError
        If the model is not trusted, is not safe, cannot be computed, or breaks the contract.
    """
    path = Path(path)
    require_trust(path, trust)
    codes, years = regions_and_years(path)
    engine = ReadingEngine(path, codes, years, trust=trust)
    require_contract(engine.variables, path.name)
    engine.run(no_decisions(engine.codes, engine.years))
    # Imported here: pint is needed for nothing else.
    from hukou_opt.dynamics.validation.units import check_units

    declared = set(settable(engine.variables))
    regions = f"{len(codes)} region{'' if len(codes) == 1 else 's'}"
    return Examination(
        f"{STATES[pins.state(path)]}; translated, audited and run with its own values, {regions}, "
        f"{years[0]}-{years[-1]}",
        sum(term.required for term in contract()),
        tuple(term.name for term in offered() if term.name in declared),
        tuple(term.name for term in computed(engine.variables)),
        tuple(absent(engine.variables)),
        tuple(str(fault) for fault in check_units(path, trust=trust)),
    )
