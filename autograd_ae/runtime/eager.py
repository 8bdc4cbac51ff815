"""Eager mode in machine code, for programs that record a great deal.

Recording a line of tape and reading it again are some fifty small steps in Python: what they cost is most of the time
of a program on small arrays (`python -m benchmarks E`). `quicken` puts kernels in their place, which do the same on the
same objects (`eager_recording.py`, `eager_sweep.py`): the functions of elementwise ops, the operators of Tensor, the
reverse sweep. Nothing else changes: results, gradients, nodes, errors, warnings, source lines are those of the Python
code, which remains the definition and does whatever is not the usual case.

The kernels take seconds to compile, once on a machine, so nobody who records a few lines should wait for them:
`offered` is called after 10,000 lines, and once more after so many that compiling pays.
"""

from __future__ import annotations

import functools
import itertools
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from autograd_ae.core import recording, sweep, ufuncs
from autograd_ae.core.entry import Operation, hold, layout, operations
from autograd_ae.core.fingerprint import fingerprint
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.modes import unusual
from autograd_ae.core.object_code import code_of, is_code_kept
from autograd_ae.core.objects import array_maker, file_name_of_code, flags_that_numpy_looks_at, loops, slot
from autograd_ae.core.op import _GONE, Array, Node, Op, Plan, Pullback
from autograd_ae.core.tensor import Tensor
from autograd_ae.runtime import eager_sweep
from autograd_ae.runtime import eager_words as w
from autograd_ae.runtime.eager_recording import record_binary, record_unary
from autograd_ae.runtime.eager_sweep import release
from autograd_ae.runtime.eager_sweep import sweep as sweep_kernel

PAYS = 1_000_000  # lines of tape, which take about as long to record and sweep as the kernels take to compile
KERNELS = ((record_unary, 2), (record_binary, 3), (sweep_kernel, 2), (release, 2))
_quick = False


def offered(lines: int) -> None:
    """Quicken where the kernels lie on disk; else ask again after `PAYS` lines of tape, and compile them then."""
    if lines > PAYS or not possible() or all(is_code_kept(*kernel) for kernel in KERNELS):
        quicken()
    else:
        sweep.when_busy(PAYS, offered)


def possible() -> bool:
    """Whether this Python and this NumPy are built as the kernels expect."""
    return (
        JIT_ENABLED
        and layout() is not None
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
        and sys.version_info < (3, 15)
        and flags_that_numpy_looks_at() is not None
        and _slots() is not None
    )


def quicken() -> bool:
    """Let machine code record and sweep from now on; whether it can be had here. Compiling may take a while, once."""
    global _quick
    sweep.when_busy(float("inf"), offered)  # there is nothing more to offer
    if _quick or not possible():
        return _quick
    for put_in_place, made in _machine_code():
        put_in_place(made)
    _quick = True
    return True


@functools.cache
def _machine_code() -> list[tuple[Callable[[Any], None], Any]]:
    """What to put in place, and how."""
    common = _common_words()
    wanted: list[Operation] = []
    install: list[Callable[[Any], None]] = []
    for function, op in _recorders():
        if not _describe_plans(op):
            continue
        operands = cast(np.ufunc, op.ufunc).nin
        code = code_of(*KERNELS[operands - 1])
        wanted.append(Operation(op.name, code, _words_of(common, op, function, through=True), operands))
        install.append(function.exchange)
        methods = _words_of(common, op, function, through=False)
        for name, reflected in _operators(function):
            wanted.append(Operation(name, code, methods, operands, method=True, reflected=reflected))
            install.append(functools.partial(setattr, Tensor, name))
    wanted.append(Operation("sweep", code_of(*KERNELS[2]), common, 1))
    install.append(functools.partial(setattr, sweep, "in_machine_code"))
    wanted.append(Operation("free", code_of(*KERNELS[3]), common, 1))
    install.append(functools.partial(setattr, sweep, "free_in_machine_code"))
    return list(zip(install, operations(wanted, Tensor), strict=True))


def slow_down() -> None:
    """Take the machine code out again: Python records and sweeps, as before `quicken`."""
    global _quick
    from autograd_ae.core.tensor import install
    from autograd_ae.ops.api import NUMPY_FUNCTIONS, OPERATORS

    for function, _ in _recorders():
        function.exchange(None)
    install(OPERATORS, NUMPY_FUNCTIONS)
    sweep.in_machine_code = sweep.free_in_machine_code = None
    _quick = False


def _recorders() -> Iterator[tuple[Any, Op]]:
    """The functions of the calculus that have a usual case, with their ops."""
    from autograd_ae.ops import api

    functions = [getattr(api, name) for name in api.__all__]
    return ((f, f.op) for f in functions if hasattr(f, "exchange"))


def _operators(function: Any) -> list[tuple[str, bool]]:
    """The operators that are a function: (name, whether its operands are the other way round)."""
    from autograd_ae.ops.api import OPERATORS

    names = [name for name, f in OPERATORS.items() if f is function]
    reflected = [f"__r{name[2:]}" for name in names if f"__r{name[2:]}" in OPERATORS]
    return [(name, False) for name in names] + [(name, True) for name in reflected]


# The blocks of words.


def _slots() -> dict[int, int] | None:
    """Which word of an object is which slot; None where one is not found."""
    tensor = {w.T_DATA: "data", w.T_GRAD: "grad", w.T_NAME: "name", w.T_NODE: "node", w.T_TRACED: "traced"}
    node = {
        w.N_OP: "op", w.N_PLAN: "plan", w.N_INPUTS: "inputs", w.N_PARAMS: "params", w.N_VALUE: "value",
        w.N_NUMBER: "number", w.N_CODE: "code", w.N_LASTI: "lasti", w.N_PRINTS: "prints",
    }  # fmt: skip
    found = {
        **{place: slot(Tensor, name) for place, name in tensor.items()},
        **{place: slot(Node, name) for place, name in node.items()},
        w.RULE_FN: slot(Pullback, "fn"),
        w.CODE_FILE: file_name_of_code(),
    }
    return None if None in found.values() else cast(dict[int, int], found)


def _common_words() -> Array:
    """What all kernels know."""
    objects = {
        w.TENSOR: Tensor, w.NODE: Node, w.BYTES: bytes, w.NDARRAY: np.ndarray, w.FLOAT: float, w.INT: int,
        w.SINGLE: np.dtype(np.float32), w.DOUBLE: np.dtype(np.float64), w.NONE: None, w.TRUE: True, w.FALSE: False,
        w.NO_PARAMS: ufuncs._NO_PARAMS, w.VALUE_ERROR: ValueError, w.UNUSUAL: unusual, w.NUMBERS: recording._numbers,
        w.INTERNAL: recording._INTERNAL, w.OUTSIDE: recording._outside, w.FINGERPRINT: fingerprint,
        w.AS_ARRAY: np.asarray, w.HAND_ON: sweep.hand_on, w.ACCUMULATE: sweep.accumulate, w.REACH: sweep.reach,
        w.NEXT: sweep.next_of, w.BREATHE: _breathe, w.GONE: _GONE, w.NOTHING: (),
    }  # fmt: skip
    words = np.zeros(w.WORDS, np.int64)
    for place, thing in objects.items():
        words[place] = hold(thing)
    for place, where in cast(dict[int, int], _slots()).items():
        words[place] = where
    words[w.MAKE], words[w.RAISED] = array_maker(), flags_that_numpy_looks_at() or 0
    return words


def _words_of(common: Array, op: Op, function: Any, *, through: bool) -> Array:
    """What the kernels know of one op. `through`: it is called by the Python function of its name."""
    words = common.copy()
    ufunc = cast(np.ufunc, op.ufunc)
    kept = ufuncs._NUMBERS
    objects = {
        w.OP: op, w.GENERAL: function.__wrapped__, w.UFUNC: ufunc, w.NUMBER: ufuncs._number,
        w.KEPT_SINGLE: kept[np.dtype(np.float32)], w.KEPT_DOUBLE: kept[np.dtype(np.float64)],
    }  # fmt: skip
    for place, thing in objects.items():
        words[place] = hold(thing)
    words[w.THROUGH] = through
    words[w.LOOPS_AT] = loops(ufunc) or 0
    for k, flags in enumerate((3,) if ufunc.nin == 1 else (5, 6, 7, -5, -6)):
        plan = op.plan(flags)
        reads = (*plan.reads, 0, 0, 0)[:3]
        words[w.PLANS + w.PLAN_WORDS * k : w.PLANS + w.PLAN_WORDS * (k + 1)] = hold(plan), len(plan.reads), *reads
    return words


def _describe_plans(op: Op) -> bool:
    """Give the plans of an op their words; whether the ufunc's loops were found at all."""
    ufunc = cast(np.ufunc, op.ufunc)
    if loops(ufunc) is None:
        return False
    for flags in (3,) if ufunc.nin == 1 else (5, 6, 7, -5, -6):
        plan = op.plan(flags)
        if plan.words is None:
            op.plans[flags] = plan._replace(words=_described(plan, ufunc.nin))
    return True


def _described(plan: Plan, operands: int) -> bytes | None:
    """A plan as `eager_sweep` reads it; None where a rule is not one that it can carry out."""
    rules = [_rule_words(*rule) for rule in plan.rules]
    if None in rules:
        return None
    words = [operands, len(plan.reads), *(*plan.reads, 0, 0, 0)[:3], len(rules), *itertools.chain(*cast(list, rules))]
    words += [0] * (eager_sweep.PLAN_SIZE - len(words))
    return struct.pack(f"{len(words)}q", *words)


def _rule_words(k: int, rule: Pullback, last: bool) -> list[int] | None:
    kind, operand, outer, inner = eager_sweep.PASSED, 0, loops(np.negative), loops(np.negative)
    if rule.ufuncs:
        kind = eager_sweep.ALONE + len(rule.ufuncs) - 1
        outer = loops(rule.ufuncs[0])
        if len(rule.ufuncs) > 1:
            operand = rule.names.index(rule.ufuncs[1]) - 1
        if len(rule.ufuncs) > 2:
            inner = loops(rule.ufuncs[2])
    elif not rule.passes:
        return None
    if outer is None or inner is None or not rule.plain:
        return None
    return [k, int(last), kind, operand, hold(rule), hold(rule.fn), outer, inner]


def _breathe() -> None:
    """A call of Python, in which Ctrl-C and other threads have their turn."""
