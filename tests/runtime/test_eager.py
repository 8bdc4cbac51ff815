"""Machine code for eager mode: whatever is done with it, the same happens as in Python, to the bit."""

import gc
import itertools
import subprocess
import sys
import threading
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.core import sweep, ufuncs
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.tensor import Tensor
from autograd_ae.runtime import eager
from autograd_ae.testing import strategies

pytestmark = pytest.mark.skipif(not (JIT_ENABLED and eager.possible()), reason="this Python runs eager mode by itself")

FUNCTIONS = {op.name: function for function, op in eager._recorders()}
UNARY = sorted(name for name, function in FUNCTIONS.items() if function.op.ufunc.nin == 1)
BINARY = sorted(set(FUNCTIONS) - set(UNARY))
VALUES = {
    "ordinary": [0.3, -1.7, 2.5, 0.9, -0.2, 1.0],
    "zeros": [0.0, -0.0, 1.0, 0.0, 2.0, -3.0],
    "huge": [1e38, -1e38, 3e38, 1e20, -2e38, 1e30],
    "tiny": [1e-38, -1e-40, 1e-45, 3e-30, 1e-20, -1e-39],
    "not finite": [np.inf, -np.inf, np.nan, 1.0, -np.nan, 0.0],
}
SHAPES = {"0-d": (), "one": (1,), "row": (7,), "matrix": (3, 5), "none": (0, 3), "large": (130, 130)}


@pytest.fixture(autouse=True)
def in_python_again():
    """Before and after each test; and nothing is offered meanwhile."""
    eager.quicken()
    eager.slow_down()
    yield
    eager.slow_down()


def both(do):
    """What `do` gives in Python, and what it gives in machine code."""
    eager.slow_down()
    forget_numbers()
    expected = do()
    assert eager.quicken()
    forget_numbers()
    return expected, do()


def forget_numbers():
    """Constants of numbers are kept, and the next use of one would not warn."""
    for kept in ufuncs._NUMBERS.values():
        kept.clear()


def filled(values, shape, dtype, shift=0):
    return np.resize(np.roll(np.array(values), shift), shape).astype(dtype)


def bits(array):
    return type(array), array.dtype, array.shape, array.tobytes(), array.flags.c_contiguous, array.flags.writeable


def described(t):
    """All that a tensor and its node hold, apart from what is different in every run."""
    node = t.node
    if node is None:
        return bits(t.data), t.name, t.grad, t.traced, None
    line = node.op, node.plan.rules, node.plan.reads, node.params, node.value is t.data, node.prints, node.describe()
    return bits(t.data), t.name, t.grad, t.traced, line, [(i.traced, bits(i.data)) for i in node.inputs]


def outcome(do):
    """What a function gives, or its error; and its warnings."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            given = do()
        except Exception as error:
            given = type(error), str(error)
    return given, [(w.category, str(w.message)) for w in seen]


def recorded(call, arrays, traced):
    """A call and its backward pass, down to the bits."""

    def run():
        leaves = [Tensor(a.copy(), f"x{k}", traced=t) for k, (a, t) in enumerate(zip(arrays, traced, strict=True))]
        result = call(*leaves)
        shown = described(result)
        if result.traced:
            result.backward(cotangent=filled(VALUES["ordinary"], result.shape, result.dtype, 2))
        return shown, [None if t.grad is None else bits(t.grad) for t in leaves]

    return lambda: outcome(run)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_tensor_is_recorded_and_pulled_back_as_in_python(name, shape):
    for dtype in (np.float32, np.float64):
        for values in VALUES.values():
            expected, found = both(recorded(FUNCTIONS[name], [filled(values, SHAPES[shape], dtype)], [True]))
            assert found == expected


@pytest.mark.parametrize("traced", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_tensors_is_recorded_and_pulled_back_as_in_python(name, traced):
    shapes = [
        *((s, s) for s in SHAPES.values()),
        ((), (3, 5)),
        ((3, 5), ()),
        ((3, 5), (5,)),
        ((1, 5), (3, 1)),
        ((1,), ()),
    ]
    for one, other in shapes:
        for values in VALUES:
            for dtypes in ((np.float32,) * 2, (np.float64,) * 2, (np.float32, np.float64)):
                arrays = [filled(VALUES[values], one, dtypes[0]), filled(VALUES["ordinary"], other, dtypes[1], 1)]
                expected, found = both(recorded(FUNCTIONS[name], arrays, traced))
                assert found == expected
    expected, found = both(recorded(FUNCTIONS[name], [np.ones(3), np.ones(4)], traced))
    assert found == expected
    assert found[0][0] is ae.ShapeError


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_one_element_of_an_array_read_backwards_has_the_bits_that_numpy_gives_it(name, dtype):
    values = np.random.default_rng(4).uniform(0.1, 2, size=400).astype(dtype)  # some loops differ in one of ten
    single = [values[::-1][k : k + 1] for k in range(len(values))]
    assert all(s.flags.c_contiguous and s.strides == (-values.itemsize,) for s in single)
    operands = [[s] for s in single] if name in UNARY else list(itertools.pairwise(single))
    expected, found = both(lambda: [bits(FUNCTIONS[name](*map(Tensor, o)).data) for o in operands])
    assert found == expected


NUMBERS = [2, 2.5, 0, -0.0, 1e300, -1e-300, 10**400, True, float("nan"), float("inf"), np.float64(2), np.float32(3)]
NUMBERS += [np.int64(2), 2j, "two", None, [1.0, 2.0], np.array([1.0, 2.0]), np.array(2)]


@pytest.mark.parametrize("x", NUMBERS, ids=repr)
@pytest.mark.parametrize("operator", ["+", "-", "*", "/"])
def test_numbers_and_whatever_else_beside_a_tensor_do_as_in_python(operator, x):
    for expression in (f"t {operator} x", f"x {operator} t", f"t {operator} x {operator} x"):
        for dtype in (np.float32, np.float64):
            compute = eval(f"lambda t: {expression}", {"x": x})
            expected, found = both(recorded(compute, [np.array([0.5, -2.0], dtype)], [True]))
            assert found == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_flag_of_numpy_is_raised_where_it_is_in_python(name, dtype):
    operands = FUNCTIONS[name].op.ufunc.nin

    def under(a, b):
        def run():
            with np.errstate(all="raise"):
                return bits(FUNCTIONS[name](*[Tensor(np.array([v, 1.0], dtype)) for v in (a, b)][:operands]).data)

        return outcome(run)

    values = [*VALUES["tiny"], *VALUES["huge"], *VALUES["zeros"], *VALUES["not finite"], -200.0, 1e-200, 1e200]
    for a in values:
        for b in values if operands == 2 else [1.0]:
            expected, found = both(lambda a=a, b=b: under(a, b))
            assert found == expected, (a, b)


@pytest.mark.parametrize(
    "rule", [rule for f in FUNCTIONS.values() for rule in f.op.pullbacks if rule.ufuncs], ids=lambda r: r.fn.__name__
)
def test_a_rule_is_the_ufuncs_that_it_says_it_is(rule, rng):
    arrays = dict(zip(rule.names, rng.normal(size=(len(rule.names), 6)), strict=True))
    g, out, (outer, *rest) = rng.normal(size=6), np.empty(6), rule.ufuncs
    rule.fn(out, g, *arrays.values())
    factors = [rest[1](arrays[rest[0]]) if len(rest) == 2 else arrays[rest[0]]] if rest else []
    np.testing.assert_array_equal(out, outer(g, *factors))


@given(strategies.programs(), st.sampled_from([np.float32, np.float64]))
def test_programs_give_the_same_bits(program, dtype):
    def run():
        leaves = [Tensor(np.asarray(a, dtype, order="C")) for a in program.arrays]
        result = program(*leaves)
        ae.sum(result * 1.5 + result).backward()
        return bits(result.data), [None if t.grad is None else bits(t.grad) for t in leaves]

    expected, found = both(lambda: outcome(run))
    assert found == expected


def joined(x):
    """Paths that part and meet, at different lengths."""
    a = ae.sin(x) * 2.0
    b = a * a + x
    c = -b + a / 3.0
    return ae.exp(c * 0.1) * b - x


def test_paths_that_meet_are_added_in_the_same_order(rng):
    for shape in ((), (1,), (4, 3)):
        expected, found = both(recorded(joined, [rng.normal(size=shape)], [True]))
        assert found == expected


def test_modes_are_heeded(rng):
    x = rng.normal(size=3)

    def run():
        t = Tensor(x.copy())
        with ae.no_grad():
            free = described(ae.sin(t) * 2.0)
        with ae.detect_anomaly():
            wrong = outcome(lambda: ae.log(t - 100.0))
            late = outcome(lambda: (ae.sqrt(t * 0.0) * 1.0).backward(cotangent=np.zeros(3)))
        captured = ae.capture(lambda a: ae.sum(ae.sin(a) * 2.0), x)
        return free, wrong, late, float(captured(x)), described(ae.sin(t) * 2.0)

    expected, found = both(run)
    assert found == expected


def test_edits_in_place_and_freed_recordings_are_refused_with_the_same_words(rng):
    x = rng.normal(size=3)

    def run():
        t = Tensor(x.copy(), "t")
        y = ae.sin(t) * t
        t.data[0] = 7.0
        edited = outcome(lambda: y.backward(cotangent=np.ones(3)))
        t.data[:] = x
        kept = outcome(lambda: y.backward(cotangent=np.ones(3), retain_graph=True))
        again = outcome(lambda: y.backward(cotangent=np.ones(3)))
        freed = outcome(lambda: y.backward(cotangent=np.ones(3)))
        return edited, kept, again, freed, bits(t.grad)

    expected, found = both(run)
    assert found == expected
    assert found[0][0][0] is ae.InPlaceError
    assert found[3][0][0] is ae.GraphError


def test_a_large_array_that_was_edited_is_noticed_by_its_hash(rng):
    eager.quicken()
    t = Tensor(rng.normal(size=(60, 60)))
    y = ae.sin(t)
    t.data[7, 7] += 1
    with pytest.raises(ae.InPlaceError):
        y.backward(cotangent=np.ones((60, 60)))


def test_data_exchanged_after_recording_does_as_in_python(rng):
    x = rng.normal(size=4)
    others = [rng.normal(size=4), rng.normal(size=(2, 2)), x.astype(np.float32), x[::-1], x.copy(), np.float64(3), None]
    for other in others:

        def run(other=other):
            t = Tensor(x.copy())
            y = (ae.sin(t) * 2.0 + t) / t
            t.data = other
            return outcome(lambda: (y.backward(cotangent=np.ones(4)), bits(t.grad)))

        expected, found = both(run)
        assert found[0] == expected[0]


def test_cotangents_in_another_order_of_memory_do_as_in_python(rng):
    x, g = rng.normal(size=(3, 4)), np.asfortranarray(rng.normal(size=(3, 4)))

    def run():
        t = Tensor(x)
        (-(ae.sin(t) * 2.0)).backward(cotangent=g)
        return t.grad.tolist()

    expected, found = both(run)
    assert found == expected


def test_a_rule_with_another_function_in_its_place_is_heeded(rng):
    eager.quicken()
    rule, x = FUNCTIONS["sin"].op.pullbacks[0], Tensor(rng.normal(size=3))
    kept, rule.fn = rule.fn, lambda out, g, y, x: out.fill(42.0)
    try:
        ae.sin(x).backward(cotangent=np.ones(3))
    finally:
        rule.fn = kept
    assert x.grad.tolist() == [42.0] * 3


def test_gradients_are_arrays_of_their_own(rng):
    eager.quicken()
    for compute in (lambda a, b: a + b, lambda a, b: -(a + b), lambda a, b: (a + 1.0) * 2.0 + (b - 1.0)):
        a, b, seed = Tensor(rng.normal(size=5)), Tensor(rng.normal(size=5)), np.ones(5)
        compute(a, b).backward(cotangent=seed)
        compute(a, b).backward(cotangent=seed)
        assert seed.tolist() == [1.0] * 5
        arrays = [seed, a.data, b.data, a.grad, b.grad]
        assert not any(np.shares_memory(p, q) for i, p in enumerate(arrays) for q in arrays[:i])


def busy_work():
    """Every way through the kernels, errors among them."""
    x = Tensor(np.linspace(0.1, 0.9, 6))
    joined(x).backward(cotangent=np.ones(6))
    big = Tensor(np.ones((100, 100)))
    (ae.sin(big) * 2.0).backward(cotangent=np.ones((100, 100)))
    y = ae.sin(x)
    outcome(lambda: x + Tensor(np.ones(5)))
    outcome(lambda: x + "a")
    outcome(lambda: (10**400) * x)
    outcome(lambda: ae.log(x * 0.0) / 0.0)
    x.data[0] += 1
    outcome(lambda: y.backward(cotangent=np.ones(6)))
    z = x * 2.0
    z.backward(cotangent=np.ones(6))
    outcome(lambda: z.backward(cotangent=np.ones(6)))


def growth(batches=4, rounds=30):
    """By how much references to what always lives, blocks of memory and kB grow in a round of busy work.

    (batches, counts). The collector's number of objects would not do: it forgets tuples of numbers, bit by bit.
    """
    ops = [FUNCTIONS[name].op for name in ("sin", "multiply")]
    kept = [None, True, False, *ops, *(p for op in ops for p in op.plans.values()), Tensor, np.ndarray, (), ValueError]

    def look():
        gc.collect()
        counts = [sys.getrefcount(thing) for thing in kept]
        return np.array([*counts, sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0] / 1000])

    for _ in range(5):
        busy_work()
    gc.collect()
    tracemalloc.start()
    busy_work()
    seen = [look()]
    for _ in range(batches):
        for _ in range(rounds):
            busy_work()
        seen.append(look())
    tracemalloc.stop()
    return np.diff(seen, axis=0) / rounds


def test_nothing_is_leaked_and_no_reference_too_many_is_given_up():
    both(growth)  # Python's own caches fill
    expected, found = both(growth)
    # Each round goes through every kernel, so the least mistake is 1, in every batch; what the rest of the process
    # happens to make meanwhile comes in some of them only.
    np.testing.assert_array_less(np.abs(found - expected).min(axis=0), 0.5)


def test_threads_record_side_by_side(rng):
    eager.quicken()
    x = rng.normal(size=(8, 6))
    found = [None] * 8

    def work(k):
        for _ in range(200):
            t = Tensor(x[k].copy())
            joined(t).backward(cotangent=np.ones(6))
            found[k] = t.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eager.slow_down()
    for k in range(8):
        t = Tensor(x[k].copy())
        joined(t).backward(cotangent=np.ones(6))
        np.testing.assert_array_equal(found[k], t.grad)


def test_one_thread_in_a_mode_does_not_disturb_the_others(rng):
    eager.quicken()
    entered, leave = threading.Event(), threading.Event()

    def look():
        with ae.no_grad():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=look)
    thread.start()
    entered.wait()
    x = Tensor(rng.normal(size=3))
    assert (ae.sin(x) * 2.0).traced
    leave.set()
    thread.join()


def test_a_chain_of_any_length_is_swept_and_freed():
    eager.quicken()
    x = y = Tensor(np.ones(1))
    for _ in range(100_000):
        y = y * 1.0
    y.backward(cotangent=np.ones(1))
    assert x.grad.tolist() == [1.0]


def test_names_and_documentation_of_the_functions_stay():
    before = [(f.__name__, f.__doc__, f.__wrapped__) for f in FUNCTIONS.values()]
    eager.quicken()
    assert [(f.__name__, f.__doc__, f.__wrapped__) for f in FUNCTIONS.values()] == before
    assert ae.arctan2(y=ae.tensor([1.0]), x=ae.tensor([1.0])).data[0] == np.arctan2(1, 1)
    with pytest.raises(TypeError):
        ae.sin()


def test_machine_code_is_offered_when_it_pays(monkeypatch):
    asked = []
    monkeypatch.setattr(eager, "quicken", lambda: asked.append("quicken"))
    monkeypatch.setattr(sweep, "when_busy", lambda lines, do: asked.append(lines))
    monkeypatch.setattr(eager, "is_code_kept", lambda *kernel: False)
    eager.offered(10_000)
    eager.offered(eager.PAYS + 1)
    monkeypatch.setattr(eager, "is_code_kept", lambda *kernel: True)
    eager.offered(10_000)
    assert asked == [eager.PAYS, "quicken", "quicken"]


def test_a_busy_program_is_quickened_by_itself_and_ends_well():
    eager.quicken()  # the kernels lie on disk now
    program = """
import numpy as np, autograd_ae as ae
class AtExit:
    def __init__(self): self.x = ae.tensor([1.0, 2.0])
    def __del__(self):
        y = ae.sin(self.x) * 2.0 if ae.sin is not None else None
        y.backward(cotangent=np.ones(2)) if np is not None and np.ones is not None else None
keep = AtExit()
keep.cycle = keep
x = ae.tensor(np.ones(1))
for _ in range(130):
    y = x
    for _ in range(100):
        y = y * 1.0
    y.backward(cotangent=np.ones(1))
print(type(ae.Tensor.__mul__).__name__, x.grad)
"""
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["method_descriptor", "[130.]"]
