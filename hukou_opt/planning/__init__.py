"""The only place where model and linear program meet: `run` goes the whole way."""

from hukou_opt.planning.repair import repair
from hukou_opt.planning.run import run

__all__ = ["run", "repair"]
