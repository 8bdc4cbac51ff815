"""What the first-order optimisers refuse, in which words, and that nothing has changed afterwards."""

import math

import numpy as np
import pytest

from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.optim import SGD, Adam, AdamW, cosine

KINDS = [SGD, Adam, AdamW]


def read_only(shape):
    a = np.zeros(shape)
    a.flags.writeable = False
    return a


W = np.zeros((4, 3))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ([], ValueError, "params is empty"),
        (W, TypeError, "params is a single ndarray; pass a sequence of arrays"),
        (3.0, TypeError, "params is a single float"),
        ([W, [1.0]], TypeError, r"params\[1\] is of type list; a NumPy array is needed \(a tensor's .data\)"),
        ([np.float64(1)], TypeError, r"params\[0\] is of type float64"),
        ([W, np.zeros(3, np.int64)], TypeError, r"params\[1\] has dtype int64; float32 or float64"),
        ([np.zeros(3, np.float16)], TypeError, r"params\[0\] has dtype float16"),
        ([np.zeros(3, complex)], TypeError, r"params\[0\] has dtype complex128"),
        ([np.zeros(3, ">f8")], TypeError, r"params\[0\] has dtype >f8; float32 or float64 in native byte order"),
        ([W, read_only((2, 2))], ValueError, r"params\[1\] of shape \(2, 2\) is read-only"),
        ([W.T], ValueError, r"params\[0\] of shape \(3, 4\) and strides .* is not a C-contiguous"),
        ([W[:, :2]], ValueError, "not a C-contiguous"),
        ([W, np.zeros(2), W], ValueError, r"params\[0\] and params\[2\] share memory"),
        ([W[2:], W[:3]], ValueError, r"params\[0\] and params\[1\] share memory.*tied weights"),
    ],
)
def test_arrays_that_cannot_be_updated_in_place_are_refused(kind, params, error, words):
    with pytest.raises(error, match=words):
        kind(params, learning_rate=0.1)


def test_neighbours_in_one_arena_are_not_overlapping():
    arena = np.zeros(10)
    SGD([arena[5:], arena[:2], arena[2:5]], learning_rate=1.0).step([np.ones(5), np.ones(2), np.ones(3)])
    assert np.all(arena == -1.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("option", "value", "error", "words"),
    [
        ("learning_rate", -0.1, ValueError, "learning_rate is -0.1; it must be finite and not negative"),
        ("learning_rate", math.nan, ValueError, "learning_rate is nan"),
        ("learning_rate", math.inf, ValueError, "learning_rate is inf"),
        ("learning_rate", "fast", TypeError, "learning_rate is 'fast' of type str; a real number"),
        ("learning_rate", lambda step: -1.0, ValueError, "gives for step 0 is -1.0"),
        ("weight_decay", -1.0, ValueError, "weight_decay is -1.0"),
        ("weight_decay", math.inf, ValueError, "weight_decay is inf"),
        ("check_finite", 1, TypeError, "check_finite is 1 of type int; True or False"),
    ],
)
def test_bad_settings_are_refused_when_the_optimizer_is_built(kind, option, value, error, words):
    with pytest.raises(error, match=words):
        kind([np.zeros(2)], **{"learning_rate": 0.1, option: value})


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda w: SGD([w], learning_rate=0.1, momentum=1.0), ValueError, r"momentum is 1.0; it must be in \[0, 1\)"),
        (lambda w: SGD([w], learning_rate=0.1, momentum=-0.5), ValueError, "momentum is -0.5"),
        (lambda w: SGD([w], learning_rate=0.1, nesterov=True), ValueError, "nesterov=True needs a momentum above 0"),
        (lambda w: SGD([w], learning_rate=0.1, nesterov="yes"), TypeError, "nesterov is 'yes'"),
        (lambda w: Adam([w], betas=0.9), ValueError, "betas is 0.9; a pair"),
        (lambda w: Adam([w], betas=(0.9, 0.99, 0.999)), ValueError, "a pair such as"),
        (lambda w: Adam([w], betas=(0.9, 1.0)), ValueError, r"betas\[1\] is 1.0; it must be in \[0, 1\)"),
        (lambda w: Adam([w], eps=0.0), ValueError, "eps is 0.0; it must be positive"),
        (lambda w: Adam([w.astype(np.float32)], eps=1e-50), ValueError, "eps is 1e-50, which is 0 or subnormal in fl"),
    ],
)
def test_settings_of_one_rule_are_checked_too(build, error, words):
    with pytest.raises(error, match=words):
        build(np.zeros(2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("second", "error", "words"),
    [
        (np.ones((2, 3), np.float32), TypeError, r"grads\[1\] has dtype float32 but params\[1\] has float64"),
        (np.ones((2, 3), int), TypeError, r"grads\[1\] has dtype int64; float32 or float64"),
        (None, TypeError, r"grads\[1\] is of type NoneType; a NumPy array is needed"),
        (np.ones((3, 2)), ValueError, r"grads\[1\] has shape \(3, 2\) but params\[1\] has \(2, 3\) \(transposed\?\)"),
        (np.ones(6), ValueError, r"grads\[1\] has shape \(6,\) but params\[1\] has \(2, 3\)$"),
        (np.full((2, 3), np.nan), FloatingPointError, r"grads\[1\] of shape \(2, 3\) has 6 non-finite entries"),
        (np.array([[0, 0, 0], [0, -np.inf, 0]]), FloatingPointError, r"the first -inf at \(1, 1\); no parameter was"),
    ],
)
def test_a_bad_gradient_is_named_and_no_parameter_is_touched(kind, second, error, words):
    params = [np.full(4, 5.0), np.full((2, 3), 5.0)]
    opt = kind(params, learning_rate=0.1)
    opt.step([np.ones(4), np.ones((2, 3))])
    kept, state = [p.copy() for p in params], opt.state_dict()
    with pytest.raises(error, match=words):
        opt.step([np.ones(4), second])
    assert all(np.array_equal(p, k) for p, k in zip(params, kept, strict=True))
    assert all(np.array_equal(opt.state_dict()[name], value) for name, value in state.items())


@pytest.mark.parametrize("grads", [[], [np.ones(4)], [np.ones(4)] * 3])
def test_the_number_of_gradients_must_be_that_of_the_parameters(grads):
    opt = SGD([np.zeros(4), np.zeros(4)], learning_rate=0.1)
    with pytest.raises(ValueError, match=f"{len(grads)} gradients arrived for 2 parameters"):
        opt.step(grads)


def test_large_but_finite_gradients_pass_the_check():
    w = np.zeros(3, np.float32)
    opt = SGD([w], learning_rate=1e-30)
    opt.step([np.full(3, 1e30, np.float32)])
    np.testing.assert_allclose(w, -1.0, rtol=1e-6)
    assert opt.gradient_norm == pytest.approx(math.sqrt(3) * 1e30, rel=1e-6)


@pytest.mark.parametrize("kernels", [True, False])
def test_without_the_check_only_entries_without_a_finite_gradient_stay(monkeypatch, kernels):
    for module in ("sgd", "adam", "optimizer"):
        monkeypatch.setattr(f"autograd_ae.optim.{module}.JIT_ENABLED", kernels and JIT_ENABLED)
    for kind in (SGD, Adam):
        w = np.zeros(3)
        opt = kind([w], learning_rate=1.0, check_finite=False)
        opt.step([np.array([np.nan, 1.0, -np.inf])])
        opt.step([np.array([-1.0, 1.0, -1.0])])
        assert w[0] == w[2] > 0
        assert w[1] == pytest.approx(-2.0, rel=1e-7)


def test_a_gradient_that_is_a_parameter_is_refused():
    u, v = np.ones(3), np.full(3, 2.0)  # of u·v the gradients are v and u, but u changes before it is used
    opt = SGD([u, v], learning_rate=0.1)
    for grads, words in [
        ([v, u], r"grads\[0\] shares memory with params\[1\]"),
        ([v[::-1].copy(), u[:]], r"grads\[1\]"),
    ]:
        with pytest.raises(ValueError, match=words):
            opt.step(grads)
    opt.step([v.copy(), u.copy()])
    arena = np.zeros(8)
    SGD([arena[:4]], learning_rate=0.1).step([arena[4:]])  # side by side in one arena is fine


def test_states_of_another_optimizer_are_refused_and_change_nothing():
    params = [np.ones(3), np.ones((2, 2), np.float32)]
    opt = Adam(params, learning_rate=0.1)
    opt.step([np.ones(3), np.ones((2, 2), np.float32)])
    kept = opt.state_dict()
    good = Adam(params, learning_rate=0.1).state_dict()
    for state, words in [
        ({}, "the state is of nothing known, and this optimizer is Adam"),
        (AdamW(params).state_dict(), "the state is of AdamW, and this optimizer is Adam"),
        ({k: v for k, v in good.items() if k != "second_moment.1"}, r"the state lacks second_moment\.1"),
        (good | {"second_moment.2": np.ones(2)}, r"the state has second_moment\.2 besides"),
        (good | {"first_moment.0": np.ones(4)}, r"first_moment\.0 has shape \(4,\)"),
        (good | {"first_moment.1": np.ones((2, 2))}, r"first_moment\.1 has shape \(2, 2\) and dtype float64"),
        (good | {"eps": 1e-3}, r"saved with eps=0\.001 but this optimizer has eps=1e-08"),
        (good | {"betas": (0.9, 0.9)}, r"saved with betas=\(0\.9, 0\.9\)"),
        (good | {"scheduled": True}, "saved with scheduled=True but this optimizer has scheduled=False"),
        (good | {"steps": -1}, "steps is -1; it must be at least 0"),
        (good | {"learning_rate": math.nan}, "learning_rate is nan"),
    ]:
        with pytest.raises(ValueError, match=words):
            opt.load_state_dict(state)
    assert all(np.array_equal(opt.state_dict()[name], value) for name, value in kept.items())


def test_hyperparameters_are_read_only_and_shown():
    opt = SGD([np.zeros((2, 3))], learning_rate=cosine(0.1, 5), momentum=0.9)
    with pytest.raises(TypeError):
        opt.hyperparameters["momentum"] = 0.5
    assert repr(opt).startswith("SGD(1 arrays, 6 entries, learning_rate=cosine(base=0.1")
    assert "momentum=0.9, nesterov=False, weight_decay=0.0, steps=0" in repr(opt)
