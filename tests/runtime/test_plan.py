"""Planned memory: no two values that are alive together share a byte, whatever the program."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core.lines import NOTHING
from autograd_ae.core.program import Program
from autograd_ae.runtime.plan import ALIGNMENT, Gaps, plan
from autograd_ae.testing import strategies as aes


def recorded(fn, arrays):
    """The program of a weighted sum of what a random program gives, its inputs new at each call."""
    inputs = [ae.tensor(a.copy(), f"x_{k}") for k, a in enumerate(arrays)]
    y = fn(*inputs)
    loss = ae.sum(y * np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape))
    return Program([loss, y], inputs=inputs)


def lives(program):
    """The lines at which each value must be there, from the definition: from the first that names it to the last."""
    lines = [*program.forward, *program.backward]
    always = range(-1, len(lines) + 1)
    gradients = {program.gradients[place] for place in program.wrt if place in program.gradients}
    alive = dict.fromkeys((*program.inputs, *program.outputs, *gradients), always)
    for place in range(len(program.values)):
        named = [k for k, line in enumerate(lines) if place in (line.out, *line.args)]
        if (
            place not in alive
            and place != NOTHING
            and named
            and program.values[place].kind in ("result", "gradient", "partial")
        ):
            alive[place] = range(named[0], named[-1] + 1)
    alive.pop(program.seed, None)
    return alive


def span(array):
    """The bytes of an array, from … to."""
    start = array.ctypes.data
    return start, start + array.nbytes


@given(program=aes.programs(max_ops=12), side_by_side=st.booleans())
@settings(max_examples=30)
def test_values_that_are_alive_together_never_overlap(program, side_by_side):
    recording = recorded(program, program.arrays)
    gradients = [recording.gradients[place] for place in recording.wrt if place in recording.gradients]
    planned = plan(recording, gradients if side_by_side else ())
    alive = lives(recording)
    for a, b in itertools.combinations(alive, 2):
        together = max(alive[a].start, alive[b].start) < min(alive[a].stop, alive[b].stop)
        (start, end), (other, its_end) = span(planned.arrays[a]), span(planned.arrays[b])
        assert not together or end <= other or its_end <= start or end == start or its_end == other, (a, b)
    for place in alive:
        value = recording.values[place]
        assert (planned.arrays[place].shape, planned.arrays[place].dtype) == (value.shape, value.dtype)
    if side_by_side:
        flat = [planned.arrays[place] for place in gradients]
        assert all(span(a)[1] == span(b)[0] for a, b in itertools.pairwise(flat))
    assert planned.peak <= planned.nbytes


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_gaps_never_hand_out_what_is_taken_and_all_comes_back(lengths, random):
    gaps, taken = Gaps(0), {}
    for number, length in enumerate(lengths):
        length *= ALIGNMENT
        offset = gaps.take(length)
        assert all(offset + length <= o or o + n <= offset for o, n in taken.values())
        taken[number] = (offset, length)
        if random.random() < 0.5:
            gaps.give_back(*taken.pop(random.choice(list(taken))))
    for offset, length in taken.values():
        gaps.give_back(offset, length)
    assert gaps.take(gaps.size) == 0
