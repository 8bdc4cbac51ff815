"""LinearPCA with L2 penalties: the optimum of the theorems, one by one or up to a rotation, and what dies."""

import numpy as np
import pytest

import autograd_ae as ae

L = 3
both = pytest.mark.parametrize("tied", [False, True])
GAMMAS = {"uniform": 0.3, "by component": (0.2, 0.6, 0.1), "one at 0": (0.0, 0.3, 0.5)}
every_penalty = pytest.mark.parametrize("gamma", list(GAMMAS.values()), ids=list(GAMMAS))


@pytest.fixture
def X(rng):
    """λ = 4, 2, 1, 0.05, 0.02, far from the origin."""
    return ae.data.gaussian_with_spectrum(150, eigenvalues=[4.0, 2.0, 1.0, 0.05, 0.02], exact=True, rng=0) + 5.0


def fitted(X, gamma, **settings):
    """With a gradient of 1e-9 of the loss left, which leaves parameters up to 1.3e-8 off along the flattest direction
    (seeds 0 to 2); with 1e-13 it is 2.4e-12."""
    return ae.LinearPCA(L, **{"l2": gamma, "tol": 1e-9, "max_iter": 3000, "random_state": 0} | settings).fit(X)


def optimum(X, gamma):
    return ae.theory.nonuniform_linear(X, np.broadcast_to(gamma, L))


@both
@every_penalty
def test_the_loss_reached_is_that_of_the_theorem(X, gamma, tied):
    """Kunin et al. 2019; Bao et al. 2020. Tied weights count twice, so W₁ = W₂ᵀ is no loss."""
    model, best = fitted(X, gamma, tied=tied), optimum(X, gamma)
    assert model.loss_curve_[-1] == pytest.approx(best.loss, rel=1e-9)
    assert model.loss(X).item() == pytest.approx(best.loss, rel=1e-9)
    assert sum(model.loss_terms_.values()) == pytest.approx(best.loss, rel=1e-9)
    assert model.loss_terms_["reconstruction"] == pytest.approx(model.loss_, rel=1e-7)
    assert ae.theory.compare(model, X).relative_excess_loss < 1e-9


@both
def test_with_one_penalty_the_singular_values_tell_the_spectrum(X, tied):
    """W₂ = Oᵀ diag √(1 − γ/λ) V_Lᵀ: λ = γ/(1 − σ²), and the right singular vectors are the principal directions."""
    model = fitted(X, 0.3, tied=tied)
    np.testing.assert_allclose(
        np.linalg.svd(model.components_, compute_uv=False), np.sqrt(1 - 0.3 / np.array([4.0, 2.0, 1.0])), rtol=1e-7
    )
    directions, s = ae.theory.recover_principal_axes(model.components_, penalty=0.3)
    np.testing.assert_allclose(s**2, [4.0, 2.0, 1.0], rtol=1e-7)
    cosines = np.sum(directions * ae.PCA(L).fit(X).components_, axis=1)
    np.testing.assert_allclose(np.abs(cosines), 1.0, rtol=1e-9)
    np.testing.assert_allclose(model.encoder_weight_, model.components_.T, rtol=0, atol=1e-7)


@both
def test_with_distinct_penalties_the_components_come_out_one_by_one(X, tied):
    """The smallest γ takes the largest λ; rows of W₂ are the principal directions themselves, √(1 − γ/λ) long."""
    gamma = (0.2, 0.6, 0.1)
    model, best = fitted(X, gamma, tied=tied), optimum(X, gamma)
    W = model.components_
    np.testing.assert_allclose(np.linalg.norm(W, axis=1), np.sqrt([1 - 0.2 / 2, 1 - 0.6 / 1, 1 - 0.1 / 4]), rtol=1e-7)
    signs = np.sign(np.sum(W * best.decoder, axis=1))[:, None]
    np.testing.assert_allclose(signs * W, best.decoder, rtol=0, atol=5e-8)


@both
def test_a_component_dies_exactly_where_its_eigenvalue_does_not_pay_for_it(X, tied):
    """λ = 4, 2, 1: a γ of 1.5 is more than the third is worth. It is dead in the summary too."""
    model = fitted(X, 1.5, tied=tied)
    sigma = np.linalg.svd(model.components_, compute_uv=False)
    np.testing.assert_allclose(sigma[:2], np.sqrt([1 - 1.5 / 4, 1 - 1.5 / 2]), rtol=1e-7)
    assert sigma[2] < 1e-3
    one = fitted(X, (0.1, 1.2, 0.2), tied=tied)
    assert np.linalg.norm(one.components_[1]) < 1e-3
    assert one.diagnostics(X)["dead_latents"] == 1
    assert "dead latents          1 of 3" in one.summary(X)


def test_a_penalty_above_the_spectrum_leaves_the_mean(X):
    model = fitted(X, 5.0)
    np.testing.assert_allclose(model.reconstruct(X), np.broadcast_to(X.mean(axis=0), X.shape), atol=1e-3)
    assert model.loss_ == pytest.approx(model.plateau(X), rel=1e-6)


@both
@pytest.mark.parametrize("scale", [2.0**-20, 2.0**20])
def test_a_penalty_has_the_unit_of_the_loss(X, tied, scale):
    """Weights have no unit: data c times as large with a penalty c² times as large have the same weights."""
    model = fitted(X, 0.3, tied=tied, max_iter=30, tol=1e-4)
    other = fitted(scale * X, scale**2 * 0.3, tied=tied, max_iter=30, tol=1e-4)
    np.testing.assert_allclose(other.components_, model.components_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.loss_curve_, scale**2 * np.array(model.loss_curve_), rtol=1e-8)


@both
@every_penalty
def test_the_gradients_are_those_of_the_formula_and_balanced(X, gamma, tied):
    """Untied: W₁ᵀdW₁ + b₁db₁ᵀ − 2W₁ᵀW₁Γ = dW₂W₂ᵀ − 2ΓW₂W₂ᵀ at any point; dW₁ = (2/B)XᵀRW₂ᵀ + 2W₁Γ, and so on."""
    model = fitted(X, gamma, tied=tied, solver="adam", max_iter=1)
    Gamma, B = np.diag(np.broadcast_to(gamma, L)), len(X)
    if tied:
        W, b1, b2 = (p.data for p in model.parameters())
        R = (X @ W + b1) @ W.T + b2 - X
        dW = ae.grad(model.loss(X), model.parameters())[0]
        np.testing.assert_allclose(
            dW, 2 / B * (X.T @ R @ W + R.T @ (X @ W + b1)) + 4 * W @ Gamma, rtol=1e-9, atol=1e-10
        )
        return
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    dW1, db1, dW2, _ = ae.grad(model.loss(X), model.parameters())
    R = (X @ W1 + b1) @ W2 + b2 - X
    np.testing.assert_allclose(dW1, 2 / B * X.T @ R @ W2.T + 2 * W1 @ Gamma, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(dW2, 2 / B * (X @ W1 + b1).T @ R + 2 * Gamma @ W2, rtol=1e-9, atol=1e-10)
    incoming = W1.T @ dW1 + np.outer(b1, db1) - 2 * W1.T @ W1 @ Gamma
    np.testing.assert_allclose(incoming, dW2 @ W2.T - 2 * Gamma @ W2 @ W2.T, atol=1e-11)


def test_without_a_penalty_there_is_no_term(X):
    plain, zero = fitted(X, 0.0), fitted(X, (0, 0, 0))
    assert list(plain.loss_terms_) == list(zero.loss_terms_) == ["reconstruction"]
    np.testing.assert_array_equal(plain.components_, zero.components_)


@both
def test_a_stream_pays_the_penalty_in_the_unit_of_its_loss_while_the_frame_moves(X, tied):
    """Every recorded loss is reconstruction and penalty in the samples' own unit, though the frame is another."""
    model = ae.LinearPCA(L, tied=tied, l2=0.3, solver="adam", learning_rate_init=1e-9, batch_size=150, random_state=0)
    for scale in (1.0, 3.0):
        model.partial_fit(scale * X)
        assert model.loss_curve_[-1] == pytest.approx(model.loss(scale * X).item(), rel=1e-5)
        assert model.loss_terms_["penalty"] == pytest.approx(model.loss_terms(X)["penalty"].item(), rel=1e-5)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, [0.1, 0.2], [0.1, 0.2, -0.1], "strong", True, [[0.1, 0.2, 0.3]], None])
def test_a_wrong_penalty_is_refused(X, wrong):
    with pytest.raises(ValueError, match=r"^l2 is .*one finite number of at least 0 is needed, or 3 of them, one for"):
        fitted(X, wrong)
