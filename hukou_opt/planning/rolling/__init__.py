"""Rolling horizon: shares are set anew every few years, from the state that is observed."""

from hukou_opt.planning.rolling.horizon import Rolled, RollingHorizon, Setting
from hukou_opt.planning.rolling.observed import ObservedEngine

__all__ = ["ObservedEngine", "Rolled", "RollingHorizon", "Setting"]
