"""SGD, Adam and AdamW against recursions written out for one number, and the laws of elementwise rules."""

import copy
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_ae.optim import SGD, Adam, AdamW, cosine

dtypes = st.sampled_from([np.float32, np.float64])
seeds = st.integers(0, 2**32)


def sgd_recursion(w, grads, eta, momentum=0.0, nesterov=False, weight_decay=0.0):
    """torch.optim.SGD for one number: the buffer is the first gradient, then μ·buffer + gradient."""
    buffer = None
    for g in grads:
        d = g + weight_decay * w if weight_decay else g
        if momentum:
            buffer = d if buffer is None else momentum * buffer + d
            d = d + momentum * buffer if nesterov else buffer
        w = w - eta * d
    return w


def adam_recursion(w, grads, eta, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, decoupled=False):
    """Adam and AdamW for one number, with the divisions gathered in two scalars (section 2 of the paper)."""
    m = v = w * 0
    for t, g in enumerate(grads, start=1):
        if decoupled:
            w = w * (1 - eta * weight_decay)
        elif weight_decay:
            g = g + weight_decay * w
        m = m + (g - m) * (1 - beta1)
        v = v * beta2 + g * g * (1 - beta2)
        root = math.sqrt(1 - beta2**t)
        w = w - m * w.dtype.type(eta * root / (1 - beta1**t)) / (np.sqrt(v) + w.dtype.type(eps * root))
    return w


VARIANTS = {
    "plain": (SGD, {"learning_rate": 0.1}),
    "decayed": (SGD, {"learning_rate": 0.1, "weight_decay": 0.03}),
    "heavy ball": (SGD, {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": (SGD, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    "nesterov, decayed": (SGD, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.2}),
    "adam": (Adam, {"learning_rate": 0.01}),
    "adam, decayed": (Adam, {"learning_rate": 0.01, "betas": (0.7, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    "adam without means": (Adam, {"learning_rate": 0.01, "betas": (0.0, 0.0)}),
    "adamw": (AdamW, {"learning_rate": 0.01}),
    "adamw, decayed": (AdamW, {"learning_rate": 0.1, "weight_decay": 0.5}),
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def build(variant, params, **changes):
    kind, options = VARIANTS[variant]
    return kind(params, **{**options, **changes})


def reference(variant, w, grads):
    kind, given_options = VARIANTS[variant]
    options = dict(given_options)
    eta = options.pop("learning_rate")
    if kind is SGD:
        return sgd_recursion(w, grads, eta, **options)
    options["beta1"], options["beta2"] = options.pop("betas", (0.9, 0.999))
    if kind is AdamW:
        options = {"weight_decay": 0.01, "decoupled": True, **options}
    return adam_recursion(w, grads, eta, **options)


def draw(seed, shapes, dtype, count):
    rng = np.random.default_rng(seed)
    params = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    grads = [[rng.standard_normal(shape).astype(dtype) for shape in shapes] for _ in range(count)]
    return params, grads


@every_variant
@given(seeds, dtypes)
def test_every_entry_follows_the_recursion_written_out_for_one_number_bit_by_bit(variant, seed, dtype):
    shapes = [(3, 2), (), (4,)]
    params, grads = draw(seed, shapes, dtype, 7)
    start = [p.copy() for p in params]
    opt = build(variant, params)
    for g in grads:
        opt.step(g)
    for i, (p, old) in enumerate(zip(params, start, strict=True)):
        for place in np.ndindex(p.shape):
            expected = reference(variant, old[place], [g[i][place] for g in grads])
            assert expected.dtype == dtype
            assert p[place] == expected


@every_variant
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_partition_of_the_parameters_and_their_order_change_nothing(variant, dtype):
    (whole,), grads = draw(2, [(70_001,)], dtype, 2)  # more than two blocks
    parts = [whole[40_000:].copy(), whole[:3].copy().reshape(3, 1), whole[3:40_000].copy()]
    one, many = build(variant, [whole]), build(variant, parts)
    for (g,) in grads:
        one.step([g])
        many.step([g[40_000:], g[:3, None], g[3:40_000]])
    assert np.array_equal(whole, np.concatenate([parts[1].ravel(), parts[2], parts[0]]))


@every_variant
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strides_of_the_gradient_do_not_matter_and_gradients_are_not_changed(variant, dtype):
    params, ((g,),) = draw(3, [(6, 8)], dtype, 1)
    layouts = {
        "fortran": np.asfortranarray(g),
        "negative": g[::-1, ::-1].copy()[::-1, ::-1],
        "gaps": np.repeat(g, 2, axis=1)[:, ::2],
        "read-only": g.copy(),
    }
    layouts["read-only"].flags.writeable = False
    results = []
    for layout in (g, *layouts.values()):
        kept, w = layout.copy(), params[0].copy()
        opt = build(variant, [w])
        opt.step([layout])
        opt.step([layout])
        assert np.array_equal(layout, kept)
        results.append(w)
    assert all(np.array_equal(results[0], w) for w in results[1:])


@every_variant
@given(seeds)
def test_two_dtypes_side_by_side_are_each_kept(variant, seed):
    (a, b), grads = draw(seed, [(5,), (2, 3)], np.float64, 3)
    single, double = a.astype(np.float32), b.copy()
    alone = [single.copy(), double.copy()]
    mixed, apart = build(variant, [single, double]), [build(variant, [p]) for p in alone]
    for g, h in grads:
        mixed.step([g.astype(np.float32), h])
        apart[0].step([g.astype(np.float32)])
        apart[1].step([h])
    assert single.dtype == np.float32
    assert np.array_equal(single, alone[0])
    assert np.array_equal(double, alone[1])


@every_variant
@pytest.mark.parametrize("schedule", [0.05, cosine(0.1, 9, warmup=2)], ids=["fixed", "scheduled"])
def test_a_saved_state_goes_on_bit_by_bit(variant, schedule, tmp_path):
    params, grads = draw(1, [(3, 2), (), (4,)], np.float32, 8)
    opt = build(variant, params, learning_rate=schedule)
    for g in grads[:4]:
        opt.step(g)
    twins = []
    np.savez(tmp_path / "state.npz", **opt.state_dict())
    with np.load(tmp_path / "state.npz") as saved:
        states = [opt.state_dict(), pickle.loads(pickle.dumps(opt.state_dict())), dict(saved)]
    for state in states:
        own = [p.copy() for p in params]
        twin = build(variant, own, learning_rate=schedule)
        twin.load_state_dict(state)
        twins.append((own, twin))
    for duplicate in (copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
        twins.append((duplicate.params, duplicate))
    for g in grads[4:]:
        opt.step(g)
        for _, twin in twins:
            twin.step(g)
    for own, twin in twins:
        assert twin.steps == opt.steps == 8
        assert twin.learning_rate == opt.learning_rate
        assert repr(twin) == repr(opt)
        assert all(np.array_equal(a, b) for a, b in zip(params, own, strict=True))
        assert twin.state_dict().keys() == opt.state_dict().keys()
        assert all(np.array_equal(twin.state_dict()[k], v) for k, v in opt.state_dict().items())


def test_a_copied_optimizer_moves_the_copied_parameters():
    model = {"W": np.ones(3)}
    model["optimizer"] = Adam([model["W"]], learning_rate=0.1)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin["optimizer"].step([np.ones(3)])
        np.testing.assert_allclose(twin["W"], 0.9, rtol=1e-6)
    assert np.all(model["W"] == 1.0)


def test_a_state_is_a_copy():
    w = np.ones(2)
    opt = Adam([w])
    state = opt.state_dict()
    opt.step([np.ones(2)])
    assert not state["first_moment.0"].any()
    assert state["steps"] == 0
    opt.load_state_dict(state)
    state["first_moment.0"][:] = 7.0
    assert not opt.state_dict()["first_moment.0"].any()


@every_variant
def test_the_moments_lie_in_one_flat_array_per_dtype_in_the_order_of_the_parameters(variant):
    params = [np.ones((2, 3)), np.ones(4, np.float32), np.ones(5)]
    opt = build(variant, params)
    opt.step([np.full_like(p, i + 1.0) for i, p in enumerate(params)])
    state = opt.state_dict()
    for name, flat in opt.moments.items():
        assert np.array_equal(flat[np.dtype(np.float64)][:6].reshape(2, 3), state[f"{name}.0"])
        assert np.array_equal(flat[np.dtype(np.float64)][6:], state[f"{name}.2"])
        assert np.array_equal(flat[np.dtype(np.float32)], state[f"{name}.1"])


@every_variant
def test_nothing_of_the_size_of_a_parameter_is_allocated_after_the_first_step(variant):
    params, (grads,) = draw(0, [(500, 400), (400,)], np.float32, 1)
    opt = build(variant, params)
    layouts = [grads, [np.asfortranarray(grads[0]), grads[1]], [np.repeat(grads[0], 2, axis=1)[:, ::2], grads[1]]]
    for g in layouts:
        opt.step(g)
    tracemalloc.start()
    try:
        for g in layouts:
            opt.step(g)
        assert tracemalloc.get_traced_memory()[1] < params[0].nbytes / 10  # views of rows weigh something
    finally:
        tracemalloc.stop()


def test_the_gradient_norm_is_left_behind():
    opt = SGD([np.zeros(1), np.zeros((1, 1))], learning_rate=0.1)
    assert opt.gradient_norm is None
    opt.step([np.array([3.0]), np.array([[4.0]])])
    assert opt.gradient_norm == 5.0


def test_zero_dimensional_and_empty_parameters_are_parameters():
    w, nothing = np.array(1.0), np.zeros((0, 4))
    opt = SGD([w, nothing], learning_rate=0.5)
    opt.step([np.float64(1.0), np.zeros((0, 4))])
    assert w == 0.5


def test_learning_rates_can_be_set_between_steps():
    w = np.zeros(1)
    opt = SGD([w], learning_rate=1.0)
    opt.step([np.ones(1)])
    opt.learning_rate = 0.25
    opt.step([np.ones(1)])
    assert w[0] == -1.25
    opt.learning_rate = cosine(1.0, 4)
    assert opt.learning_rate == pytest.approx(0.5)
    opt.step([np.ones(1)])
    assert w[0] == pytest.approx(-1.75)
