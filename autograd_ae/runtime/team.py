"""Threads that go through one list of phases together.

A *score* is an int64 array: its head (number of phases, of threads, address of its seat, failures, address of a count
for each phase), then for each phase the address of its machine code and that of each thread's task. All threads `play`
the same score, each its own tasks; between phases they meet. Or one thread plays all parts (`me` = ALONE) with the same
results, when there are no others. The counts begin at 0; by them threads share out a phase's work. A *seat* is one
integer, of as many scores as one likes: the address of the board of the team that plays them, or 0: one plays alone.

**The barrier** is a count that only grows: who arrives adds 1, and waits until it has reached the next multiple of
the number of threads. Waiting is spinning: phases last from microseconds to milliseconds, and a call of the operating
system takes longer than most waits. Every thousand spins the thread gives way (sched_yield), so that on a busy
machine whoever is waited for gets to run.

**Helpers** are Python threads that hold no lock of Python's while they play or spin. They spin through the short time
from one step of training to the next, and sleep after that. From `join` to `leave` no helper sleeps, so nobody waits
for a sleeper. As long as they spin, both are a few instructions: after a step's data Python's own is in no cache.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_ae.core.jit import jit
from autograd_ae.core.native import Native, at, call
from autograd_ae.core.object_code import callable_at, code_of
from autograd_ae.runtime.emitter import words


@Native
def atomic_add() -> Any:
    """`atomic_add(address, n)`: the int64 at an address before n was added to it, indivisibly."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def add(_context: Any, address: Any, n: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
            return builder.atomic_rmw("add", place, arguments[1], "seq_cst")

        return types.int64(types.int64, types.int64), build

    return add


@Native
def atomic_load() -> Any:
    """`atomic_load(address)`: the int64 at an address, as other threads left it."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def load(_context: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load_atomic(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()), "seq_cst", 8)

        return types.int64(types.int64), build

    return load


@Native
def give_way() -> Any:
    """`give_way()`: let the operating system run somebody else."""
    from llvmlite import binding
    from numba.core import types

    if binding.address_of_symbol("sched_yield"):
        return types.ExternalFunction("sched_yield", types.int32())
    return lambda: 0


@jit
def meet(arrivals, threads):
    """Wait until all threads have come here."""
    goal, spins = (atomic_add(arrivals, 1) // threads + 1) * threads, 0
    while atomic_load(arrivals) < goal:
        spins += 1
        if spins & 1023 == 0:
            give_way()


# The head of a score, who plays all parts, and a team's board (what its threads tell each other, a cache line each).
PHASES, THREADS, SEAT, FAILURES, COUNTS, HEAD = range(6)
ALONE = -1
MAY_SLEEP, STAY, GO = range(3)  # what AWAKE says
SCORES, SCORE, AWAKE, ARRIVALS, BOARD_SIZE = 0, 8, 16, 24, 32


@jit
def play(score, me, board):
    """Thread me's part of all phases; those that return 0 are counted as failures."""
    head = at(score, HEAD, words())
    threads = head[THREADS]
    for i in range(head[PHASES]):
        row = at(score + (HEAD + i * (1 + threads)) * 8, 1 + threads, words())
        for part in range(threads):
            if me in (part, ALONE) and call(row[0], row[1 + part]) == 0:
                atomic_add(score + FAILURES * 8, 1)
        if me != ALONE:
            meet(board + ARRIVALS * 8, threads)
    return 0


@jit
def perform(score):
    """Play a score: with the helpers, who are awake, where its seat names a board, else alone. 1 if all went well."""
    head = at(score, HEAD, words())
    head[FAILURES] = 0
    counts = at(head[COUNTS], 8 * head[PHASES], words())
    for i in range(head[PHASES]):
        counts[8 * i] = 0
    board = at(head[SEAT], 1, words())[0]
    if board == 0:
        play(score, ALONE, board)
    else:
        at(board, BOARD_SIZE, words())[SCORE] = score
        atomic_add(board + SCORES * 8, 1)
        play(score, 0, board)
    return 1 if atomic_load(score + FAILURES * 8) == 0 else 0


@jit
def follow(board, me, played):
    """Play along with every score until none has come for a while and helpers may sleep; how many have been played."""
    patience = 0
    while patience < 500_000:
        if atomic_load(board + SCORES * 8) > played:
            played += 1
            play(at(board, BOARD_SIZE, words())[SCORE], me, board)
            patience = 0
        wanted = atomic_load(board + AWAKE * 8)
        if wanted == GO:
            break
        if wanted == STAY:
            patience = 0
        patience += 1
        if patience & 1023 == 0:
            give_way()
    return played


class Team:
    """`threads` − 1 helpers, started when first needed. One caller at a time; others play alone."""

    def __init__(self, threads: int):
        self.threads = threads
        self.board = np.zeros(BOARD_SIZE, np.int64)
        self._address = self.board.ctypes.data
        self._busy = threading.Lock()
        self._changed = threading.Condition()
        self._asleep = 0
        self.helpers: list[threading.Thread] = []
        self.seat: np.ndarray | None = None  # of who plays with the helpers now
        _teams.add(self)

    def join(self, seat: np.ndarray) -> bool:
        """From now on helpers are awake and play the scores of this seat along. False where somebody else has them."""
        if not self._busy.acquire(False):
            return False
        self.seat = seat
        self.board[AWAKE] = STAY
        if self._asleep or not self.helpers:  # who falls asleep counts himself, then looks whether he is wanted
            try:
                self._wake()
            except RuntimeError:  # no thread can be started here: from now on everybody plays alone
                self.board[AWAKE] = MAY_SLEEP
                return False
        seat[0] = self._address
        return True

    def leave(self) -> None:
        """After `join`: the seat's scores are played alone again, and helpers may sleep."""
        self.seat[0] = 0  # type: ignore[index]
        self.seat = None
        self.board[AWAKE] = MAY_SLEEP
        self._busy.release()

    @contextmanager
    def together(self, seat: np.ndarray) -> Iterator[None]:
        """Inside, the scores of this seat are played with the helpers, unless somebody else has them."""
        joined = self.join(seat)
        try:
            yield
        finally:
            if joined:
                self.leave()

    def close(self) -> None:
        """End the helpers. From now on everybody plays alone."""
        if not self._busy.acquire(timeout=1.0):
            return  # somebody plays on while the process ends
        self.board[AWAKE] = GO
        with self._changed:
            self._changed.notify_all()
        for helper in self.helpers:
            helper.join(timeout=1.0)

    def _wake(self) -> None:
        with self._changed:
            if not self.helpers:
                self._start()
            self._changed.notify_all()

    def _start(self) -> None:
        self._follow = callable_at(code_of(follow, 3), 3)
        for me in range(1, self.threads):
            helper = threading.Thread(target=self._help, args=(me,), name=f"autograd_ae-{me}", daemon=True)
            helper.start()
            self.helpers.append(helper)

    def _help(self, me: int) -> None:
        played = ctypes.c_int64(0)
        while True:
            with self._changed:
                self._asleep += 1
                while self.board[AWAKE] == MAY_SLEEP:
                    self._changed.wait()
                self._asleep -= 1
                if self.board[AWAKE] == GO:
                    return
            self._follow(ctypes.addressof(played), None, self._address, me, played.value)


@functools.cache
def team(threads: int) -> Team:
    """The process's team of this size."""
    return Team(threads)


_teams: weakref.WeakSet[Team] = weakref.WeakSet()


@atexit.register
def _dismiss() -> None:
    """Send all helpers home before the process ends."""
    for each in list(_teams):
        each.close()


def _forget() -> None:
    """In a forked child, which has no helpers: what was being played together is played alone; later teams are new."""
    for each in list(_teams):
        if each.seat is not None:
            each.seat[0] = 0
    _teams.clear()
    team.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def usable_threads(wanted: int | None = None) -> int:
    """`wanted`, or AUTOGRAD_AE_THREADS, or 2; at most as many as there are processors for this process."""
    if wanted is None:
        given = os.environ.get("AUTOGRAD_AE_THREADS", "2")
        if not given.isdecimal() or int(given) < 1:
            raise ValueError(f"AUTOGRAD_AE_THREADS is {given!r}; a whole number from 1 is needed")
        wanted = int(given)
    if isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 1:
        raise ValueError(f"threads is {wanted!r}; a whole number from 1 is needed")
    return min(int(wanted), processors())


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
