"""Processes that take one task after another; one that dies takes only its own task with it."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")

#: Libraries that would start a thread for every core in every process.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def answers(
    work: Callable[[Task], Answer],
    tasks: Sequence[Task],
    jobs: int,
    started: Callable[[Task], None],
) -> Generator[tuple[Task, Answer | None]]:
    """Work on tasks in processes of their own, and hand back answers as they come.

    A pool of processes breaks as a whole when one of them dies. Here every process is a pool of its
    own: the task that killed it is known, and the others go on.

    Parameters
    ----------
    work : callable
        What is done with a task; a function of a module, since processes start afresh.
    tasks : sequence
        Tasks, worked on in this order.
    jobs : int
        Processes at a time.
    started : callable
        Told of every task that is begun.

    Yields
    ------
    task, answer
        An answer of None means that the process died: out of memory, or killed.
    """
    waiting = deque(tasks)
    running: dict[Future[Answer], tuple[Task, ProcessPoolExecutor]] = {}
    pools: list[ProcessPoolExecutor] = []

    def begin(pool: ProcessPoolExecutor) -> None:
        task = waiting.popleft()
        started(task)
        running[pool.submit(work, task)] = (task, pool)

    with _one_thread_each():
        try:
            for _ in range(min(jobs, len(tasks))):
                pools.append(_pool())
                begin(pools[-1])
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    task, pool = running.pop(future)
                    try:
                        answer: Answer | None = future.result()
                    except BrokenProcessPool:
                        answer = None
                        pools.remove(pool)
                        pool.shutdown(wait=False)
                        pool = _pool()
                        pools.append(pool)
                    if waiting:
                        begin(pool)
                    yield task, answer
        finally:
            for pool in pools:
                _stop(pool, busy=any(pool is each for _, each in running.values()))


def _pool() -> ProcessPoolExecutor:
    # A fresh process, not a copy of this one: threads of the solver do not survive a copy.
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_deaf)


def _deaf() -> None:
    """Leave an interrupt from the keyboard to the process that has started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(pool: ProcessPoolExecutor, *, busy: bool) -> None:
    """End a process; one that is still at work is not waited for."""
    if busy:
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started within use one thread, unless the user has said otherwise."""
    added = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
