"""Together or alone: whichever takes less time. The results are the same, so it may change at any step.

On an idle machine two threads are faster than one. On a machine with something else to do, the one that the other waits
for may be the one that does not run, and a step takes longer than with one thread. So both ways are tried for a few
steps each, and medians compared; the first step of a trial wakes helpers and finds other caches, and does not count.

    together    until two steps in a row take longer than a step alone did: evidence of company;
                or for so long that the time of a step alone has to be measured anew
    alone       for 8 steps, then 16, 32, … 256: a machine that has become idle shows only by a trial;
                after a pause a trial comes at once, since it may have become idle meanwhile
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator


class Pace:
    """How to do each step of one program, from how long its steps take."""

    TRIAL = 4  # steps each way
    LEAST, MOST = 8, 256  # steps alone from one trial to the next
    LONG = 512  # steps together for which the time of a step alone is believed
    PAUSE = 0.1  # seconds from step to step after which the machine may be another

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._course = self._go()
        self._way = next(self._course)
        self._start = self._end = clock()
        self._paused = False

    def together(self) -> bool:
        """How to do the step that starts now."""
        self._start = self._clock()
        self._paused = self._start - self._end > self.PAUSE
        return self._way

    def done(self) -> None:
        """The step is done."""
        self._end = self._clock()
        self._way = self._course.send(self._end - self._start)

    def _go(self) -> Generator[bool, float, None]:
        """Yields whether to do a step together, receives how long it took."""
        rest, alone = self.LEAST, (yield from self._several(False, self.TRIAL))
        while True:
            together = yield from self._several(True, self.TRIAL)
            if together <= alone:
                yield from self._until_slower(than=alone)
                rest, alone = self.LEAST, (yield from self._several(False, self.TRIAL))
            else:
                alone = yield from self._several(False, rest, until_pause=True)
                rest = min(2 * rest, self.MOST)

    def _several(self, way: bool, steps: int, *, until_pause: bool = False) -> Generator[bool, float, float]:
        """The median of the last three of several steps."""
        seconds: list[float] = []
        while len(seconds) < steps and not (until_pause and self._paused and len(seconds) >= self.TRIAL):
            seconds.append((yield way))
        return sorted(seconds[-3:])[1]

    def _until_slower(self, than: float) -> Generator[bool, float, None]:
        slow = 0
        for _ in range(self.LONG):
            slow = slow + 1 if (yield True) > than else 0
            if slow == 2:
                return
