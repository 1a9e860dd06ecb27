"""What an experiment file may expect of its own result: figures with their tolerance."""

from __future__ import annotations

from pydantic import Field, model_validator

from hukou_opt.experiment.part import Part


class Expected(Part):
    """A figure that the experiment is expected to give; `hukou-opt check` compares."""

    quantity: str
    """Named outcome, such as ``hukou_rate``; ``hukou-opt check --list`` lists them all."""
    year: int | None = None
    """Year; the last year of the plan where missing."""
    region: str | None = None
    """Code or name of a region; the nation where missing."""
    value: float
    """Expected figure, in the unit of the outcome; shares as 0.65, not 65."""
    tolerance: float | None = Field(default=None, ge=0)
    """Largest difference allowed, in the unit of the outcome."""
    relative: float | None = Field(default=None, gt=0, lt=1)
    """Largest difference allowed, as a part of the expected figure."""
    source: str = ""
    """Where the figure comes from."""

    @model_validator(mode="after")
    def _one_tolerance(self) -> Expected:
        if (self.tolerance is None) == (self.relative is None):
            given = "none" if self.tolerance is None else "both"
            raise ValueError(
                f"tolerance: exactly one of tolerance and relative must be given ({given})"
            )
        if self.relative is not None and self.value == 0:
            raise ValueError("relative: of an expected figure of 0 there is no part (0)")
        return self

    @property
    def allowed(self) -> float:
        """Largest difference allowed, in the unit of the outcome."""
        if self.tolerance is not None:
            return self.tolerance
        assert self.relative is not None
        return self.relative * abs(self.value)
