"""Penalties: scale, closed forms, the two divergences in both directions, and the edges of their domain."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_ae as ae
from autograd_ae.ops.sparsity import bernoulli_kl, l1, l2

FORMS = ["lecture", "ufldl"]
AXES = ["units", "batch"]
every_form = pytest.mark.parametrize("form", FORMS)
every_axis = pytest.mark.parametrize("over", AXES)
inside = st.floats(0.01, 0.99)


def textbook(form, r, rho):
    """The formulas as printed, in decimal arithmetic."""
    p, q = (Decimal(r), Decimal(rho)) if form == "lecture" else (Decimal(rho), Decimal(r))
    with localcontext() as context:
        context.prec = 60
        return float(p * (p / q).ln() + (1 - p) * ((1 - p) / (1 - q)).ln())


def textbook_slope(form, r, rho):
    r, rho = Decimal(r), Decimal(rho)
    with localcontext() as context:
        context.prec = 60
        ufldl = -rho / r + (1 - rho) / (1 - r)
        return float((r / rho).ln() - ((1 - r) / (1 - rho)).ln() if form == "lecture" else ufldl)


def test_l1_and_l2_are_sums_over_features_and_means_over_samples():
    z = ae.tensor([[1.0, -2.0], [0.0, 3.0]])
    assert (l1(z).item(), l2(z).item()) == (3.0, 7.0)
    np.testing.assert_array_equal(ae.grad(l1(z), z), [[0.5, -0.5], [0.0, 0.5]])  # 0 at 0
    np.testing.assert_array_equal(ae.grad(l2(z), z), [[1.0, -2.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    "penalty", [l1, l2, lambda z: bernoulli_kl(z, 0.1), lambda z: bernoulli_kl(z, 0.1, over="batch")]
)
def test_repeating_the_batch_changes_no_penalty(rng, penalty):
    z = rng.uniform(0.1, 0.9, size=(3, 4))
    assert penalty(np.concatenate([z, z])).item() == pytest.approx(penalty(z).item(), rel=1e-14, abs=0)


@every_form
@given(inside, inside)
def test_of_one_unit_the_divergence_is_the_textbooks_and_so_is_its_slope(form, r, rho):
    value, (slope,) = ae.value_and_grad(lambda z: bernoulli_kl(z, rho, form=form))(np.array([[r]]))
    assert value == pytest.approx(textbook(form, r, rho), rel=2e-14, abs=0)
    assert slope[0, 0] == pytest.approx(textbook_slope(form, r, rho), rel=2e-14, abs=0)


@every_form
@pytest.mark.parametrize("k", [5, 15, 25, 40, 50])
def test_near_the_optimum_nothing_cancels(form, k):
    for r in (0.25 + 2.0**-k, 0.25 - 2.0**-k):
        value, (slope,) = ae.value_and_grad(lambda z: bernoulli_kl(z, 0.25, form=form))(np.array([[r]]))
        assert value == pytest.approx(textbook(form, r, 0.25), rel=4e-15, abs=0)
        assert slope[0, 0] == pytest.approx(textbook_slope(form, r, 0.25), rel=4e-15, abs=0)


@every_form
@every_axis
def test_the_penalty_and_its_gradient_are_zero_exactly_at_the_wanted_activation(form, over):
    value, (gradient,) = ae.value_and_grad(lambda z: bernoulli_kl(z, 0.25, form=form, over=over))(np.full((2, 4), 0.25))
    assert value == 0.0
    assert not gradient.any()


@every_form
@every_axis
def test_the_two_axes_average_what_they_say(rng, form, over):
    z = rng.uniform(0.1, 0.9, size=(5, 3))
    means = z.mean(axis=1) if over == "units" else z.mean(axis=0)
    single = [textbook(form, r, 0.1) for r in means]
    expected = np.mean(single) if over == "units" else np.sum(single)
    value, (gradient,) = ae.value_and_grad(lambda t: bernoulli_kl(t, 0.1, form=form, over=over))(z)
    assert value == pytest.approx(expected, rel=1e-14, abs=0)
    slopes = np.array([textbook_slope(form, r, 0.1) for r in means])
    exact = np.repeat(slopes[:, None], 3, axis=1) / 15 if over == "units" else np.repeat(slopes[None], 5, axis=0) / 5
    np.testing.assert_allclose(gradient, exact, rtol=1e-13)


@every_form
@every_axis
@given(inside, inside, inside)
def test_exchanging_on_and_off_changes_nothing(form, over, a, b, rho):
    there = bernoulli_kl([[a, b]], rho, form=form, over=over).item()
    assert bernoulli_kl([[1 - a, 1 - b]], 1 - rho, form=form, over=over).item() == pytest.approx(
        there, rel=1e-11, abs=1e-30
    )
    assert there >= 0


def test_the_two_forms_are_one_divergence_with_its_arguments_exchanged():
    assert bernoulli_kl([[0.3]], 0.2).item() == pytest.approx(
        bernoulli_kl([[0.2]], 0.3, form="ufldl").item(), rel=1e-14, abs=0
    )


@pytest.mark.parametrize(("r", "limit"), [(0.0, -np.log1p(-0.2)), (1.0, -np.log(0.2))])
def test_dead_or_saturated_units_cost_a_finite_price_in_the_lectures_form_and_an_infinite_one_in_the_other(r, limit):
    z = ae.tensor(np.full((2, 3), r))
    lecture, other = bernoulli_kl(z, 0.2), bernoulli_kl(z, 0.2, form="ufldl")
    assert lecture.item() == pytest.approx(limit, rel=1e-15, abs=0)
    assert other.item() == np.inf
    infinite = np.inf if r == 1.0 else -np.inf
    assert (ae.grad(lecture, z) == infinite).all()
    assert (ae.grad(other, z) == infinite).all()


def test_tiny_activations_keep_their_digits():
    for form in FORMS:
        for r in (1e-300, 1e-20, 1e-8):
            assert bernoulli_kl([[r]], 0.05, form=form).item() == pytest.approx(
                textbook(form, r, 0.05), rel=4e-15, abs=0
            )


def test_axes_after_the_first_are_units_and_a_vector_is_one_sample(rng):
    z = rng.uniform(0.1, 0.9, size=(4, 2, 3))
    for over in AXES:
        flat = bernoulli_kl(z.reshape(4, 6), 0.1, over=over).item()
        assert bernoulli_kl(z, 0.1, over=over).item() == flat
        assert bernoulli_kl(z[0, 0], 0.1, over=over).item() == bernoulli_kl(z[0, :1], 0.1, over=over).item()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: bernoulli_kl([[0.5, 1.2]], 0.1),
            r"activations in \[0, 1\] were needed, values from 0.5 to 1.2.*sigmoid",
        ),
        (lambda: bernoulli_kl([[0.5]], 0.0), "0 < rho < 1, 0.0 arrived"),
        (lambda: bernoulli_kl([[0.5]], "5%"), "0 < rho < 1, '5%' arrived"),
        (lambda: bernoulli_kl([[0.5]], 0.1, form="KL"), "form must be 'lecture' or 'ufldl', 'KL' arrived"),
        (lambda: bernoulli_kl([[0.5]], 0.1, over="samples"), "over must be 'units' or 'batch', 'samples' arrived"),
        (lambda: bernoulli_kl(np.empty((3, 0)), 0.1), "no entries"),
        (lambda: l1(np.empty((0, 3))), "the batch is empty"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()
