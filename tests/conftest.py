"""The one full run that all tests of the whole way share."""

from __future__ import annotations

import pytest

import hukou_opt as ho


@pytest.fixture(scope="session")
def spine() -> ho.Result:
    """The shipped experiment on the 31 provinces, run as a user runs it."""
    return ho.run("plan_as_written", progress=False)
