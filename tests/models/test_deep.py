"""Nonlinear PCA: circles and lines as codes, the frame of training, and what no continuous number can do."""

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.models.deep import on_circles
from autograd_ae.testing import complex_step_gradient

pytestmark = pytest.mark.filterwarnings("ignore::autograd_ae.ConvergenceWarning")


@pytest.fixture(scope="module")
def circle():
    return ae.data.circle(100).X


@pytest.fixture(scope="module")
def fitted(circle):
    """A circular code of the circle."""
    return ae.DeepPCA(code="circular", random_state=0).fit(circle)


def brief(**settings):
    return ae.DeepPCA(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0} | settings)


# The circular unit.


def test_pairs_are_brought_to_the_unit_circle_and_zero_has_the_angle_zero(rng):
    pairs = rng.normal(size=(20, 6)) * 10.0 ** rng.uniform(-150, 150, size=(20, 1))
    pairs[3, 2:4] = 0.0
    c = on_circles(pairs).data.reshape(20, 3, 2)
    np.testing.assert_allclose(np.hypot(c[..., 0], c[..., 1]), 1.0, rtol=1e-15)
    np.testing.assert_array_equal(c[3, 1], [1.0, 0.0])
    p, q = pairs.reshape(20, 3, 2)[0, 0]
    np.testing.assert_allclose(c[0, 0], [np.cos(np.arctan2(q, p)), np.sin(np.arctan2(q, p))], rtol=1e-14)


def test_the_pullback_is_what_turns_the_pair_divided_by_its_length(rng):
    """(g − (g·c) c)/r, orthogonal to (p, q); 0 at (0, 0)."""
    pairs, g = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    pairs[2, :2] = 0.0
    c, pull = ae.vjp(on_circles, pairs)
    (back,) = pull(g)
    r = np.linalg.norm(pairs.reshape(5, 2, 2), axis=2, keepdims=True)
    C, G = c.reshape(5, 2, 2), g.reshape(5, 2, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        formula = np.where(r > 0, (G - np.sum(G * C, axis=2, keepdims=True) * C) / r, 0.0)
    np.testing.assert_allclose(back.reshape(5, 2, 2), formula, rtol=1e-12, atol=1e-15)
    pairs, g = pairs[3:], g[3:]
    (true,) = complex_step_gradient(on_circles, [pairs], g)
    np.testing.assert_allclose(back[3:], true, rtol=1e-12)


def test_only_what_turns_comes_back_so_weights_and_gradient_of_a_pair_are_orthogonal(circle):
    """r is free: ⟨W, ∇W⟩ + ⟨b, ∇b⟩ = 0 for each pair of units, at any point; a linear code has no such law."""
    model = brief(code="circular", n_components=2, solver="adam").fit(circle)
    W, b = model.encoder_.layers[-1].W, model.encoder_.layers[-1].b
    dW, db = ae.grad(model.loss(circle), [W, b])
    for i in (0, 2):
        parts = [*(W.data * dW)[:, i : i + 2].ravel(), *(b.data * db)[i : i + 2]]
        assert abs(sum(parts)) <= 1e-13 * sum(map(abs, parts))
    linear = brief(n_components=2, solver="adam").fit(circle)
    W, b = linear.encoder_.layers[-1].W, linear.encoder_.layers[-1].b
    dW, db = ae.grad(linear.loss(circle), [W, b])
    assert abs(np.sum(W.data * dW) + np.sum(b.data * db)) > 1e-3 * np.sum(np.abs(W.data * dW))


# The circle.


def circular_error(seed):
    return ae.DeepPCA(code="circular", random_state=seed).fit(ae.data.circle(100).X)


@pytest.mark.parametrize("seed", range(3))
def test_an_angle_says_all_about_a_circle(seed):
    """From every start, and where there were no samples: PCA's best line has the error ½."""
    model = circular_error(seed)
    assert model.loss_ < 2e-6
    between = ae.data.circle(1000).X
    assert np.max(np.sum((model.reconstruct(between) - between) ** 2, axis=1)) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 40))
def test_an_angle_says_all_about_a_circle_from_forty_starts(seed):
    model = circular_error(seed)
    assert model.loss_ < 2e-6


def test_the_angle_found_goes_round_once_as_the_true_one_does(fitted):
    found = np.unwrap(fitted.angles(ae.data.circle(500).X)[:, 0])
    steps = np.diff(found)
    assert (steps > 0).all() or (steps < 0).all()
    assert abs(found[-1] - found[0]) == pytest.approx(2 * np.pi * 499 / 500, rel=0.02)


@pytest.mark.parametrize("max_iter", [1, 300])
@pytest.mark.parametrize("seed", range(2))
def test_no_continuous_number_goes_round_a_circle(circle, max_iter, seed):
    """Borsuk–Ulam: trained or not, two opposite points share a code, so one of them is missed by 1 at least."""
    model = ae.DeepPCA(max_iter=max_iter, random_state=seed).fit(circle)
    pair = ae.theory.borsuk_ulam(model.transform)
    assert pair.code_gap <= 1e-6 * np.ptp(model.transform(circle))
    missed = np.linalg.norm(model.reconstruct(pair.points) - pair.points, axis=1)
    assert missed.max() >= 1 - 1e-6


def test_on_average_a_number_serves_the_circle_nearly_as_well(circle):
    """The jump is spent on a short arc: the mean error falls far below the best line's ½, the worst stays above 1."""
    model = ae.DeepPCA(random_state=0).fit(circle)
    grid = ae.data.circle(20_000).X
    missed = np.linalg.norm(model.reconstruct(grid) - grid, axis=1)
    assert model.loss_ < 0.05
    assert missed.max() >= 1.0
    assert (missed > 0.5).mean() < 0.1


# Angles as codes.


def test_codes_are_cosine_and_sine_of_the_angles_and_angles_decode(fitted, circle):
    theta = fitted.angles(circle)
    assert theta.shape == (100, 1)
    assert ((theta > -np.pi) & (theta <= np.pi)).all()
    np.testing.assert_allclose(fitted.transform(circle), np.hstack([np.cos(theta), np.sin(theta)]), atol=1e-14)
    np.testing.assert_allclose(fitted.from_angles(theta), fitted.reconstruct(circle), atol=1e-12)
    np.testing.assert_allclose(fitted.from_angles(theta + 2 * np.pi), fitted.from_angles(theta), atol=1e-12)


def test_half_a_turn_is_plus_pi_from_either_side(circle):
    """arctan2(−10⁻³⁰⁰, −1) is rounded to −π, which is the same angle and not in (−π, π]."""
    model = brief(code="circular", solver="adam").fit(circle)
    model.encoder_.layers[-1].W.data[...] = 0.0
    for sine in (1e-300, 0.0, -1e-300):
        model.encoder_.layers[-1].b.data[...] = [-1.0, sine]
        np.testing.assert_array_equal(model.angles(circle), np.pi)


def test_pairs_of_any_length_are_angles_and_the_origin_is_none(fitted, circle):
    Z = fitted.transform(circle)
    np.testing.assert_allclose(fitted.inverse_transform(3.0 * Z), fitted.inverse_transform(Z), rtol=1e-12)
    Z[7] = 0.0
    with pytest.raises(ValueError, match=r"pair of component 0 of sample 7 is \(0, 0\), which is no angle"):
        fitted.inverse_transform(Z)


def test_names_say_which_column_is_the_cosine(fitted):
    assert list(fitted.get_feature_names_out()) == ["deeppca0_p", "deeppca0_q"]
    assert "2-16-16-2-16-16-2" in fitted.summary()


def test_two_angles_are_four_columns(rng):
    model = brief(code="circular", n_components=2, solver="adam").fit(rng.normal(size=(20, 4)))
    theta = model.angles(rng.normal(size=(6, 4)))
    assert theta.shape == (6, 2)
    assert model.from_angles(theta).shape == (6, 4)
    assert list(model.get_feature_names_out()) == ["deeppca0_p", "deeppca0_q", "deeppca1_p", "deeppca1_q"]
    with pytest.raises(ValueError, match="angles have 1 columns, but DeepPCA has 2 components"):
        model.from_angles(theta[:, :1])
    with pytest.raises(ValueError, match="codes have 3 columns, but DeepPCA has 4 components"):
        model.inverse_transform(np.ones((6, 3)))


def test_a_linear_code_has_no_angles(circle):
    model = brief().fit(circle)
    with pytest.raises(ValueError, match="angles: a linear code has no angles; use transform, or fit with code='circ"):
        model.angles(circle)
    with pytest.raises(ValueError, match="from_angles: a linear code has no angles; use inverse_transform"):
        model.from_angles([[0.0]])
    with pytest.raises(ae.NotFittedError):
        brief(code="circular").angles(circle)


def test_changing_the_setting_does_not_change_what_was_fitted(circle):
    model = brief(code="circular").fit(circle)
    codes = model.transform(circle)
    np.testing.assert_array_equal(model.set_params(code="linear").transform(circle), codes)
    with pytest.raises(ValueError, match="built with code='circular', which is 'linear' now"):
        model.partial_fit(circle)


# Depth, and the frame.


def test_without_hidden_layers_it_is_pca(rng):
    X = ae.data.low_rank(80, 6, singular_values=[9, 5, 2, 1], rng=0) + 2.0
    model = ae.DeepPCA(2, hidden_layer_sizes=(), tol=1e-9, random_state=0).fit(X)
    assert model.loss_ == pytest.approx(ae.PCA(2).fit(X).loss_, rel=1e-9)
    assert ae.theory.compare(model, X).relative_excess_loss < 1e-8


def test_depth_on_both_sides_goes_below_pca_on_a_curve(rng):
    t = np.linspace(-1, 1, 80)[:, None]
    parabola = np.hstack([t, t**2])
    model = ae.DeepPCA(hidden_layer_sizes=(8,), random_state=0).fit(parabola)
    assert model.loss_ < 0.02 * ae.PCA(1).fit(parabola).loss_


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_the_unit_of_the_data_changes_nothing_but_the_unit_of_the_results(circle, solver, scale):
    """Powers of two scale without rounding."""
    model, other = (brief(solver=solver, max_iter=20).fit(c * circle) for c in (1.0, scale))
    np.testing.assert_allclose(other.loss_curve_, scale**2 * np.array(model.loss_curve_), rtol=1e-9)
    np.testing.assert_allclose(other.transform(scale * circle), model.transform(circle), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.reconstruct(scale * circle), scale * model.reconstruct(circle), rtol=1e-7)


def test_the_origin_of_the_data_changes_nothing_but_the_origin_of_the_results(circle):
    model, other = (
        brief(solver="sgd", learning_rate_init=1e-2, max_iter=20).fit(circle + shift) for shift in (0.0, 64.0)
    )
    np.testing.assert_allclose(other.loss_curve_, model.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(other.reconstruct(circle + 64.0), model.reconstruct(circle) + 64.0, rtol=1e-9)


@pytest.mark.parametrize("code", ["linear", "circular"])
def test_there_and_back_the_frame_leaves_the_model_as_it_was(rng, code):
    X = 100.0 + 30.0 * rng.normal(size=(40, 3))
    model = brief(code=code, solver="adam").fit(X)
    before, outside = [p.data.copy() for p in model.parameters()], model.reconstruct(X)
    with model._inside():
        mean, unit = model._frame
        assert unit == pytest.approx(np.sqrt(np.mean((X - X.mean(axis=0)) ** 2)), rel=1e-12)
        np.testing.assert_allclose(model._decode(model._encode((X - mean) / unit)) * unit + mean, outside, rtol=1e-10)
    for p, b in zip(model.parameters(), before, strict=True):
        np.testing.assert_allclose(p.data, b, rtol=1e-10, atol=1e-12)


def test_a_stream_far_from_the_origin_is_learned_in_its_own_frame(rng):
    """The frame follows the stream: mean and spread of all samples seen."""
    X = 1e4 + ae.data.low_rank(60, 4, singular_values=[8, 4], rng=0)
    model = ae.DeepPCA(1, hidden_layer_sizes=(4,), solver="adam", learning_rate_init=1e-2, random_state=0)
    for _ in range(60):
        for start in range(0, 60, 20):
            model.partial_fit(X[start : start + 20])
    seen = np.vstack([X] * 60)
    assert model._frame[1] == pytest.approx(np.sqrt(np.mean((seen - seen.mean(axis=0)) ** 2)), rel=1e-9)
    assert model.reconstruction_error(X) < 0.5 * model.plateau(X)


def test_an_output_that_has_a_range_of_its_own_is_trained_on_the_samples_as_they_are(rng):
    X = rng.uniform(0.2, 0.8, size=(30, 3))
    model = brief(output_activation="sigmoid", solver="adam").fit(X)
    assert model._frame[1] == 1.0
    assert ((model.reconstruct(X) > 0) & (model.reconstruct(X) < 1)).all()
    with pytest.warns(ae.DataRangeWarning, match=r"but a sigmoid output reaches only \(0, 1\)"):
        brief(output_activation="sigmoid").fit(X + 1.0)


@pytest.mark.parametrize("code", ["linear", "circular"])
@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_data_are_reproduced(code, value, dtype):
    """Also where the mean of equal numbers is another number, by rounding, which is no unit to measure them in.

    To the rounding of the value itself; on a circle also to where L-BFGS stops, a loss of 2.7e-16, 1.2e-8 off.
    """
    X = np.full((7, 3), value, dtype)
    model = brief(code=code, max_iter=50).fit(X)
    np.testing.assert_allclose(model.reconstruct(X), X, rtol=np.finfo(dtype).eps, atol=3e-8)
    assert model._frame[1] == 1.0
