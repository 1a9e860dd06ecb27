"""Work for processes that start afresh; they import this module, so it stays light."""

from __future__ import annotations

import os
import signal
import time


def double(task: int) -> int:
    """Twice the task; the process that is given 3 dies."""
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * task


def who(task: int) -> int:
    """The process that did it."""
    time.sleep(0.2 + 0 * task)
    return os.getpid()


def ignore(task: int) -> None:
    """Told of a task that is begun."""
    assert task >= 0


def nap(task: int) -> int:
    """Work that takes so many seconds."""
    time.sleep(task)
    return task
