"""What the current thread is doing: recording gradients, capturing a program, looking for NaN."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np


class _State(threading.local):
    """The modes of one thread; `usual` says that all three are as here, so that recording asks one question."""

    gradients = True
    capturing = False
    anomaly = False
    usual = True


state = _State()
watching = np.zeros(1, np.int64)  # how many threads are looking for NaN, where machine code can read it
unusual: set[int] = set()  # the threads whose modes are not the usual ones: one quick question for all threads


@contextmanager
def _setting(name: str, value: bool) -> Iterator[None]:
    before = getattr(state, name)
    _set(name, value)
    try:
        yield
    finally:
        _set(name, before)


def _set(name: str, value: bool) -> None:
    if name == "anomaly":
        watching[0] += value - state.anomaly
    setattr(state, name, value)
    state.usual = state.gradients and not state.capturing and not state.anomaly
    (unusual.discard if state.usual else unusual.add)(threading.get_ident())


def no_grad() -> AbstractContextManager[None]:
    """Nothing computed inside is traced: for inference and for parameter updates."""
    return _setting("gradients", False)


def detect_anomaly() -> AbstractContextManager[None]:
    """Inside, the first NaN that an op or a pullback produces raises AnomalyError.

    The message holds op, names, shapes and source line.
    """
    return _setting("anomaly", True)


@contextmanager
def capturing() -> Iterator[None]:
    """Inside, everything is recorded, gradients too, and values cannot steer Python."""
    with _setting("gradients", True), _setting("capturing", True):
        yield
