"""The divergence from the prior against decimals and Monte Carlo, and sampling by reparameterisation."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops.gaussian import (
    gaussian_kl,
    gaussian_kl_from_variance,
    reparameterise,
    reparameterise_from_variance,
)

signs = st.sampled_from([-1.0, 1.0])


def textbook(m, v, log_v):
    """½ (m² + v − 1 − ln v) in decimal arithmetic."""
    return float((Decimal(m) ** 2 + v - 1 - log_v) / 2)


@pytest.fixture(autouse=True)
def _many_digits():
    with localcontext() as context:
        context.prec = 60
        yield


@given(st.floats(-40, 2.5), signs)
def test_near_the_prior_and_far_from_it_nothing_cancels_of_a_log_variance(size, sign):
    s = sign * 10.0 ** max(size, -18)
    exact = textbook(0.0, Decimal(s).exp(), Decimal(s))
    value, (_, ds) = ae.value_and_grad(gaussian_kl)(np.zeros(1), np.array([s]))
    assert value == pytest.approx(exact, rel=4e-15, abs=0)
    assert ds[0] == pytest.approx(float((Decimal(s).exp() - 1) / 2), rel=4e-15, abs=0)


@given(st.floats(-50, 8), signs)
def test_near_the_prior_and_far_from_it_nothing_cancels_of_a_variance(size, sign):
    v = max(1.0 + sign * 2.0**size, 2.0**size)
    value, (_, dv) = ae.value_and_grad(gaussian_kl_from_variance)(np.zeros(1), np.array([v]))
    assert value == pytest.approx(textbook(0.0, Decimal(v), Decimal(v).ln()), rel=4e-15, abs=0)
    assert dv[0] == pytest.approx(float((1 - 1 / Decimal(v)) / 2), rel=4e-16, abs=0)


def test_at_the_prior_itself_the_divergence_and_its_gradient_are_zero():
    for fn, spread in ((gaussian_kl, 0.0), (gaussian_kl_from_variance, 1.0)):
        value, gradients = ae.value_and_grad(fn)(np.zeros((2, 3)), np.full((2, 3), spread))
        assert value == 0.0
        assert not any(g.any() for g in gradients)


def test_both_parametrisations_are_one_function_and_their_gradients_differ_by_dv_ds(rng):
    m, s, noise = rng.normal(size=(3, 5, 2))
    v = np.exp(s)
    value, (dm, ds) = ae.value_and_grad(gaussian_kl)(m, s)
    same, (dm_v, dv) = ae.value_and_grad(gaussian_kl_from_variance)(m, v)
    assert value == pytest.approx(same, rel=1e-14, abs=0)
    np.testing.assert_array_equal(dm, dm_v)
    np.testing.assert_allclose(ds, dv * v, rtol=1e-13)
    np.testing.assert_allclose(
        reparameterise(m, s, noise).data, reparameterise_from_variance(m, v, noise).data, rtol=1e-14
    )


def test_the_divergence_is_a_sum_over_latents_and_a_mean_over_samples(rng):
    m, s = rng.normal(size=(2, 5, 3))
    single = [gaussian_kl(m[b], s[b]).item() for b in range(5)]
    assert gaussian_kl(m, s).item() == pytest.approx(np.mean(single), rel=1e-14, abs=0)
    assert gaussian_kl(m[0], s[0]).item() == pytest.approx(
        sum(gaussian_kl(m[0, [k]], s[0, [k]]).item() for k in range(3)), rel=1e-14, abs=0
    )


def test_the_divergence_is_what_the_sampler_itself_draws():
    """KL = E[ln q(z) − ln p(z)] over the op's own samples: what catches a log-variance read as a log-deviation."""
    m, s = np.array([0.7, -1.2]), np.array([-1.0, 0.8])
    noise = np.random.default_rng(3).normal(size=(200_000, 2))
    z = reparameterise(m, s, noise).data
    ratio = np.sum(-0.5 * (s + (z - m) ** 2 / np.exp(s)) + 0.5 * z**2, axis=1)
    error = ratio.std() / np.sqrt(len(ratio))
    assert abs(ratio.mean() - gaussian_kl(m, s).item()) < 4 * error
    assert abs(ratio.mean() - gaussian_kl(m, 2 * s).item()) > 40 * error


def test_the_lectures_gradients_at_the_bottleneck(rng):
    """∇_M R = G + λM/B and ∇_V R = G ⊙ E/(2√V) + (λ/2B)(1 − 1/V), G being backpropagated from the decoder."""
    M, V, E, G = rng.normal(size=(4, 6, 3))
    V, lam = np.exp(V), 0.3

    def regularised(mean, variance):
        z = reparameterise_from_variance(mean, variance, E)
        return ae.sum(z * G) + lam * gaussian_kl_from_variance(mean, variance)

    _, (dM, dV) = ae.value_and_grad(regularised)(M, V)
    np.testing.assert_allclose(dM, G + lam * M / 6, rtol=1e-13)
    np.testing.assert_allclose(dV, G * E / (2 * np.sqrt(V)) + lam / 12 * (1 - 1 / V), rtol=1e-12)


def test_several_samples_of_one_code_sum_their_gradients(rng):
    m, s, noise = rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), rng.normal(size=(7, 5, 2))
    mean, log_variance = ae.tensor(m), ae.tensor(s)
    z = reparameterise(mean, log_variance, noise)
    assert z.shape == (7, 5, 2)
    dm, ds = ae.grad(ae.sum(z), [mean, log_variance])
    np.testing.assert_allclose(dm, 7.0)
    np.testing.assert_allclose(ds, 0.5 * np.exp(0.5 * s) * noise.sum(axis=0), rtol=1e-13)


def test_a_variance_of_zero_is_infinitely_far_from_the_prior_and_samples_its_mean():
    v = ae.tensor([0.0])
    kl = gaussian_kl_from_variance([0.0], v)
    assert kl.item() == np.inf
    assert ae.grad(kl, v)[0] == -np.inf
    z = reparameterise_from_variance([2.0], v, [1.5])
    assert z.data[0] == 2.0
    assert ae.grad(ae.sum(z), v)[0] == np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: gaussian_kl_from_variance([0.0], [-0.5]),
            ValueError,
            "variances >= 0 were needed, one is -0.5; if these are log-variances, use gaussian_kl$",
        ),
        (lambda: reparameterise_from_variance([0.0], [-0.5], [1.0]), ValueError, "use reparameterise$"),
        (lambda: gaussian_kl(np.zeros((2, 3)), np.zeros(3)), ae.ShapeError, "same shape"),
        (lambda: gaussian_kl(np.zeros((0, 3)), np.zeros((0, 3))), ae.ShapeError, "the batch is empty"),
        (lambda: reparameterise(np.zeros((5, 2)), np.zeros((5, 2)), np.zeros(2)), ae.ShapeError, "noise of its own"),
        (
            lambda: reparameterise(np.zeros((5, 2)), np.zeros((5, 2)), np.zeros((5, 1))),
            ae.ShapeError,
            "noise of its own",
        ),
        (
            lambda: reparameterise(np.zeros((5, 2)), np.zeros((5, 2)), np.zeros((5, 3))),
            ae.ShapeError,
            "do not broadcast",
        ),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_remedy(call, error, message):
    with pytest.raises(error, match=message):
        call()
