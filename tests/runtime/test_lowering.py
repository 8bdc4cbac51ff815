"""Which lines have rows: all those of models and their losses; and that rows give NumPy's numbers, entry by entry."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.core.jit import JIT_ENABLED
from autograd_ae.core.native import has_blas
from autograd_ae.models.stepping import evaluation, stepper
from autograd_ae.models.training import make_optimizer
from autograd_ae.ops.activations import ACTIVATIONS
from autograd_ae.runtime.rows import LONG

pytestmark = [
    pytest.mark.timeout(900),  # with an empty cache many kernels are compiled
    pytest.mark.skipif(not JIT_ENABLED or not has_blas(), reason="without kernels every line is called back"),
]
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 1, "batch_size": 8, "random_state": 0}


def variants():
    """Each model of the lecture with each of its losses, penalties, kinds of noise and activations."""
    yield "Autoencoder", lambda: ae.Autoencoder()
    yield "Autoencoder bce", lambda: ae.Autoencoder(2, reconstruction_loss="bce", **SMALL)
    for name in ACTIVATIONS:
        activations = {"activation": name, "code_activation": name, "output_activation": "identity"}
        yield f"Autoencoder {name}", lambda activations=activations: ae.Autoencoder(2, **activations, **SMALL)
    yield "SparseAE l1", lambda: ae.SparseAE(4, penalty="l1", **SMALL)
    for form in ("lecture", "ufldl"):
        for over in ("units", "batch"):
            kl = {"kl_form": form, "kl_over": over}
            yield f"SparseAE kl {form} {over}", lambda kl=kl: ae.SparseAE(4, **kl, **SMALL)
    for kind in ("gaussian", "masking", "salt_and_pepper", "low_resolution"):
        noise = {"corruption": kind, "corruption_level": 2 if kind == "low_resolution" else 0.3}
        yield f"DenoisingAE {kind}", lambda noise=noise: ae.DenoisingAE(4, sparsity_weight=0.1, **noise, **SMALL)
    for variance in (0.5, "learned"):
        yield f"VAE {variance}", lambda v=variance: ae.VAE(2, likelihood="gaussian", observation_variance=v, **SMALL)
    yield "VAE bernoulli", lambda: ae.VAE(2, beta_warmup=3, **SMALL)
    for tied in (False, True):
        for l2 in (0.0, 0.1, (0.1, 0.2)):
            yield (
                f"LinearPCA tied={tied} l2={l2}",
                lambda tied=tied, l2=l2: ae.LinearPCA(2, tied=tied, l2=l2, solver="sgd", max_iter=1),
            )
    for code in ("linear", "circular"):
        yield f"DeepPCA {code}", lambda code=code: ae.DeepPCA(2, code=code, solver="adam", **SMALL)
    yield "DeepPCA sigmoid", lambda: ae.DeepPCA(2, output_activation="sigmoid", solver="adam", **SMALL)


VARIANTS = dict(variants())


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_model_with_each_of_its_losses_is_one_stretch_without_call_backs(name):
    X = np.random.default_rng(1).random((16, 16))
    if name == "Autoencoder":  # the default widths, where stacks may run by tiles
        X = X.astype(np.float32)
    model = VARIANTS[name]()
    model._check(X)
    model._start(X, np.random.default_rng(0))
    steps = stepper(model, make_optimizer(model), X, np.arange(8))
    runtime = steps.step.runtime
    assert runtime.callbacks == []
    assert len(runtime._units) == 1


def test_the_whole_batch_loss_that_lbfgs_follows_is_one_stretch_too():
    X = np.random.default_rng(1).random((16, 16))
    for model in (ae.LinearPCA(2, tied=True, l2=0.1), ae.DeepPCA(1, code="circular", hidden_layer_sizes=(5,))):
        model._start(X, np.random.default_rng(0))
        _, evaluate = evaluation(model, X)
        step = evaluate.__closure__[-1].cell_contents
        assert step.runtime.callbacks == []


# Numbers: each op on hard entries, against NumPy's own; at most so many units in the last place of each entry.

ANY = [0.0, -0.0, 1.0, -1.0, 0.5, -0.3, 1e-3, -1e-8, 3.7, -2.9, 20.0, -20.0, np.inf, -np.inf, np.nan]
POSITIVE = [1.0, 0.5, 1e-3, 1e-30, 3.7, 20.0, 1e20]
UNIT = [0.0, 1.0, 0.5, 1e-3, 0.999]
BITWISE, POLYNOMIAL, LIBRARY = 0, 4, 2
ONE_OPERAND = {
    "negative": (ae.negative, ANY, BITWISE), "square": (ae.square, ANY, BITWISE), "abs": (ae.abs, ANY, BITWISE),
    "sign": (ae.sign, ANY, BITWISE), "sqrt": (ae.sqrt, [*POSITIVE, 0.0, np.inf], BITWISE),
    "reciprocal": (ae.reciprocal, ANY, BITWISE), "clip": (lambda x: ae.clip(x, -0.3, 1.0), ANY, BITWISE),
    "clip above": (lambda x: ae.clip(x, a_max=1.0), ANY, BITWISE),
    "relu": (ae.relu, ANY, BITWISE), "leaky_relu": (lambda x: ae.leaky_relu(x, negative_slope=0.3), ANY, BITWISE),
    "sigmoid": (ae.sigmoid, ANY, BITWISE), "gelu": (ae.gelu, ANY, BITWISE), "erf": (ae.erf, ANY, BITWISE),
    "erfc": (ae.erfc, ANY, BITWISE), "exp": (ae.exp, ANY, POLYNOMIAL), "expm1": (ae.expm1, ANY, POLYNOMIAL),
    "tanh": (ae.tanh, ANY, POLYNOMIAL), "softplus": (ae.softplus, ANY, POLYNOMIAL),
    "log_sigmoid": (ae.log_sigmoid, ANY, POLYNOMIAL), "elu": (lambda x: ae.elu(x, alpha=0.7), ANY, POLYNOMIAL),
    "silu": (ae.silu, ANY, POLYNOMIAL), "log": (ae.log, [*POSITIVE, 0.0, np.inf], LIBRARY),
    "log1p": (ae.log1p, [*POSITIVE, -0.5, 0.0, np.inf], LIBRARY), "sin": (ae.sin, ANY[:12], LIBRARY),
    "cos": (ae.cos, ANY[:12], LIBRARY), "tan": (ae.tan, ANY[:12], LIBRARY), "sinh": (ae.sinh, ANY, LIBRARY),
    "cosh": (ae.cosh, ANY, LIBRARY), "cube": (lambda x: x**3.0, ANY, LIBRARY),
}  # fmt: skip
TWO_OPERANDS = {
    "add": (ae.add, BITWISE), "subtract": (ae.subtract, BITWISE), "multiply": (ae.multiply, BITWISE),
    "divide": (ae.divide, BITWISE), "maximum": (ae.maximum, BITWISE), "minimum": (ae.minimum, BITWISE),
    "where": (lambda a, b: ae.where(ae.greater(a, b), a, b), BITWISE),
    "where equal": (lambda a, b: ae.where(ae.equal(a, b), 2.0 * a, b), BITWISE),
    "where not": (lambda a, b: ae.where(ae.not_equal(a, b), a, b), BITWISE),
    "where less": (lambda a, b: ae.where(ae.less(a, b), a, ae.where(ae.less_equal(a, b), b, a)), BITWISE),
    "arctan2": (lambda a, b: ae.arctan2(a, b), LIBRARY),
}  # fmt: skip


def both(fn, *arrays):
    """Values and gradients of Σ c ⊙ fn, compiled and replayed, c no powers of two; nothing is called back."""
    found = []
    for runtime in ("compiled", "replay"):
        with np.errstate(all="ignore"):
            step = ae.capture(
                lambda *xs: (ae.sum((y := fn(*xs)) * np.cos(np.arange(y.size)).astype(y.dtype).reshape(y.shape)), y),
                *arrays,
                runtime=runtime,
            )
            found.append([step(*arrays)[1], *step.gradients.values()])
        assert runtime == "replay" or step.runtime.callbacks == []
    return found


def assert_within(ulps, compiled, replayed):
    for a, b in zip(compiled, replayed, strict=True):
        if ulps == BITWISE:
            np.testing.assert_array_equal(a, b)
        else:
            tiny = np.finfo(b.dtype).smallest_normal
            np.testing.assert_allclose(a, b, rtol=ulps * np.finfo(b.dtype).eps, atol=tiny)


@pytest.mark.parametrize("name", list(ONE_OPERAND))
def test_a_function_of_one_number_is_that_of_numpy(name):
    fn, points, ulps = ONE_OPERAND[name]
    assert_within(ulps, *both(fn, np.array(points)))


@pytest.mark.parametrize("name", ["exp", "expm1", "tanh", "softplus", "log_sigmoid", "elu", "silu"])
def test_polynomials_keep_their_digits_in_float32(name):
    fn, points, ulps = ONE_OPERAND[name]
    assert_within(ulps, *both(fn, np.array(points, np.float32)))


@pytest.mark.parametrize("name", list(TWO_OPERANDS))
def test_a_function_of_two_numbers_is_that_of_numpy(name):
    fn, ulps = TWO_OPERANDS[name]
    a, b = (x.ravel() for x in np.meshgrid([-2.5, -1.0, 0.0, 0.3, 1.0, 7.0], [-2.5, -0.7, 0.3, 1.0, 4.0]))
    assert_within(ulps, *both(fn, a, b))


SHAPES = {
    "equal": ((3, 4), (3, 4)), "a row": ((3, 4), (4,)), "a column": ((3, 4), (3, 1)), "a number": ((3, 4), ()),
    "pairs": ((5, 2, 2), (5, 2, 1)), "one of a stack": ((5, 2, 3), (2, 3)), "single entries": ((1, 1), (1,)),
}  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=list(SHAPES))
@pytest.mark.parametrize("fn", [ae.divide, lambda a, b: ae.where(ae.greater(b, a), a, b)], ids=["divide", "where"])
def test_operands_are_repeated_over_rows_columns_or_both(rng, fn, shapes):
    """Sums over what was repeated are added up in another order."""
    a, b = (rng.normal(size=shape) + 0.1 for shape in shapes)
    (y, da, db), (y_, da_, db_) = both(fn, a, b)
    np.testing.assert_array_equal(y, y_)
    np.testing.assert_array_equal(da, da_)
    np.testing.assert_allclose(db, db_, rtol=1e-12, atol=1e-14)


def test_long_lines_of_the_c_librarys_functions_are_left_to_numpy(rng):
    step = ae.capture(lambda x: ae.sum(ae.sinh(x) + ae.exp(x)), rng.random(LONG))
    assert step.runtime.callbacks == ["sinh", "sinh.dx"]
    step = ae.capture(lambda x: ae.sum(ae.sinh(x) + ae.exp(x)), rng.random(LONG - 1))
    assert step.runtime.callbacks == []


@pytest.mark.parametrize("axes", [(1, 0), (0, 2, 1), (2, 0, 1), (1, 2, 0), (0, 1, 2)])
def test_two_groups_of_axes_are_exchanged_in_rows(rng, axes):
    x = rng.normal(size=(3, 4, 5)[: len(axes)])
    assert_within(BITWISE, *both(lambda x: ae.transpose(x, axes), x))


def test_axes_in_any_other_order_are_called_back(rng):
    step = ae.capture(lambda x: ae.sum(ae.transpose(x, (2, 1, 0)) * 2.0), rng.normal(size=(3, 4, 5)))
    assert step.runtime.callbacks == ["transpose", "transpose.dx"]


@pytest.mark.parametrize("form", ["lecture", "ufldl"])
@pytest.mark.parametrize("over", ["units", "batch"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bernoulli_kl_in_rows_is_that_of_numpy(rng, form, over, dtype):
    """Near ρ both are right to the rounding of ρ̂, which is a mean added up in another order."""
    z = rng.random((6, 5)).astype(dtype)
    z[:, 0] = 0.25 + 1e-3 * z[:, 0]
    compiled, replayed = both(lambda z: ae.bernoulli_kl(z, 0.25, form=form, over=over), z)
    for a, b in zip(compiled, replayed, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=40 * np.finfo(dtype).eps * np.abs(b).max())


def test_activations_outside_0_1_raise_the_ops_own_error(rng):
    z = rng.random((3, 4))
    step = ae.capture(lambda z: ae.bernoulli_kl(z, 0.1), z)
    value = step(z)
    with pytest.raises(ValueError, match=r"bernoulli_kl: activations in \[0, 1\] were needed"):
        step(z + 1)
    assert step(z) == value


def test_probabilities_and_variances_out_of_range_raise_the_ops_own_error(rng):
    p, t = rng.random((2, 3, 4))
    step = ae.capture(lambda p, t: ae.bce(p, t), p, ae.constant(t))
    for wrong in ((p - 1, t), (p, t + 1)):
        with pytest.raises(ValueError, match=r"in \[0, 1\] were needed"):
            step(*wrong)
    step = ae.capture(lambda m, v: ae.gaussian_kl_from_variance(m, v), p, t)
    with pytest.raises(ValueError, match="variances >= 0 were needed"):
        step(p, -t)


@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-200])
def test_norms_neither_overflow_nor_vanish(rng, scale):
    x = rng.normal(size=(4, 3)) * scale
    x[2] = 0
    compiled, replayed = both(lambda x: ae.norm(x, axis=1), x)
    for a, b in zip(compiled, replayed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)


@pytest.mark.parametrize("name", ["bce", "gaussian_kl_from_variance", "reparameterise_from_variance", "reparameterise"])
def test_losses_and_samples_of_the_second_rank_too(rng, name):
    p, t, noise = rng.random((3, 3, 4)) * 0.98 + 0.01
    fn, args = getattr(ae, name), (p, t, noise) if name.startswith("rep") else (p, t)
    if name == "bce":  # its gradient by t is called back
        compiled, replayed = both(lambda p: fn(p, t), p)
    else:
        compiled, replayed = both(fn, *args)
    for a, b in zip(compiled, replayed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
