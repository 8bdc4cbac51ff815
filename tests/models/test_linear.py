"""LinearPCA: backpropagation finds what the singular value decomposition computes."""

import numpy as np
import pytest

import autograd_ae as ae

L = 3


@pytest.fixture
def X(rng):
    """Rank 3 and noise: λ ≈ 4.5, 2, 0.5, then below 0.005. The mean is longer than all deviations from it."""
    signal = ae.data.low_rank(200, 12, singular_values=[30, 20, 10], rng=1)
    return signal + 0.05 * rng.normal(size=(200, 12)) + 3.0 * rng.normal(size=12)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_linear_pca_has_the_loss_and_the_subspace_of_pca(X, tied, seed):
    """Baldi & Hornik 1989."""
    model, pca = ae.LinearPCA(L, tied=tied, random_state=seed).fit(X), ae.PCA(L).fit(X)
    found = ae.theory.compare(model, pca)
    assert found.gap is not None
    assert found.gap.relative > 0.1
    assert -1e-13 <= found.relative_excess_loss <= 1e-6
    assert found.largest_angle <= 1e-3
    np.testing.assert_allclose(model.reconstruct(X), pca.reconstruct(X), atol=1e-3)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("scale", [2.0**-30, 2.0**30])
def test_the_unit_of_the_data_changes_nothing_but_the_unit_of_the_results(X, solver, scale):
    """Weights have no unit. Powers of two scale without rounding."""
    model, other = (ae.LinearPCA(L, solver=solver, max_iter=60, random_state=0).fit(c * X) for c in (1.0, scale))
    np.testing.assert_allclose(other.components_, model.components_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(other.loss_curve_, scale**2 * np.array(model.loss_curve_), rtol=1e-9)
    np.testing.assert_allclose(other.transform(scale * X), scale * model.transform(X), rtol=1e-7, atol=scale * 1e-9)


@pytest.mark.parametrize("tied", [False, True])
def test_a_callback_sees_the_model_in_the_samples_own_frame_and_unit(X, tied):
    seen = []
    model = ae.LinearPCA(L, tied=tied, random_state=0)
    model.fit(X, callback=lambda m, i: seen.append((m.reconstruction_error(X), m.loss_curve_[-1], i)))
    errors, losses, steps = zip(*seen, strict=True)
    np.testing.assert_allclose(errors, losses, rtol=1e-9)
    assert steps == tuple(range(1, model.n_iter_ + 1))
    np.testing.assert_allclose(model.loss_, losses[-1], rtol=1e-9)
    assert model.loss_terms_["reconstruction"] == pytest.approx(model.loss_, rel=1e-9)


@pytest.mark.parametrize("tied", [False, True])
def test_more_than_the_default_digits_can_be_had(X, tied):
    found = ae.theory.compare(ae.LinearPCA(L, tied=tied, tol=1e-11, random_state=0).fit(X), ae.PCA(L).fit(X))
    assert abs(found.relative_excess_loss) <= 1e-12
    assert found.largest_angle <= 1e-7


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("solver", "rate"), [("adam", 3e-2), ("sgd", 1e-2)])
def test_minibatches_come_close_to_the_subspace_of_pca(X, tied, solver, rate):
    """Also far from the origin: biases that did not start at the mean would leave Adam in a saddle for good."""
    settings = {"solver": solver, "learning_rate_init": rate, "batch_size": 20, "max_iter": 300}
    found = ae.theory.compare(ae.LinearPCA(L, tied=tied, random_state=0, **settings).fit(X), ae.PCA(L).fit(X))
    assert -1e-12 <= found.relative_excess_loss <= 1e-3
    assert found.largest_angle <= 1e-3


def test_tied_weights_are_orthonormal_at_the_optimum(X):
    W = ae.LinearPCA(L, tied=True, tol=1e-9, random_state=0).fit(X).components_
    np.testing.assert_allclose(W @ W.T, np.eye(L), atol=1e-6)


def test_the_decoder_undoes_the_encoder_at_the_optimum(X):
    """W₁ W₂ is the orthogonal projector, so W₂ W₁ is the identity of the code: W₂ = C⁻¹ V_Lᵀ, W₁ = V_L C."""
    model = ae.LinearPCA(L, tol=1e-9, random_state=0).fit(X)
    np.testing.assert_allclose(model.components_ @ model.encoder_weight_, np.eye(L), atol=1e-5)
    V = ae.PCA(L).fit(X).components_
    np.testing.assert_allclose(model.encoder_weight_ @ model.components_, V.T @ V, atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_the_best_biases_do_the_centring(X, tied):
    """b₂ = μ − (μ W₁ + b₁) W₂ (Bourlard & Kamp 1988): the mean is reconstructed without error."""
    model = ae.LinearPCA(L, tied=tied, tol=1e-9, random_state=0).fit(X)
    W1, W2, b1 = model.encoder_weight_, model.components_, model.encoder_.layers[0].b.data
    b2 = model.inverse_transform(np.zeros((1, L)))[0]
    np.testing.assert_allclose(b2, X.mean(axis=0) - (X.mean(axis=0) @ W1 + b1) @ W2, atol=1e-8)
    np.testing.assert_allclose(model.reconstruct(X).mean(axis=0), X.mean(axis=0), atol=1e-8)


@pytest.mark.parametrize(("tied", "decoder"), [(False, (L + 1) * 12), (True, 12)])
def test_the_encoder_has_as_many_parameters_as_the_lecture_counts(X, tied, decoder):
    """(N + 1)·L; tied, the decoder adds only its bias."""
    model = ae.LinearPCA(L, tied=tied, random_state=0).fit(X)
    assert sum(p.size for p in ae.nn.parameters(model.encoder_)) == (12 + 1) * L
    assert sum(p.size for p in model.parameters()) == (12 + 1) * L + decoder - (0 if tied else L) + (0 if tied else L)
    assert f"12-{L}-12" in model.summary(X)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_lectures_rank_one_data_are_recovered_exactly(tied, seed):
    """x = (2α, α): ŵ ∝ (2, 1) and wᵀŵ = 1 from every start."""
    X = ae.data.rank_one_line(100, rng=seed)
    model = ae.LinearPCA(1, tied=tied, tol=1e-9, random_state=seed).fit(X)
    assert model.loss_ <= 1e-12 * model.plateau(X)
    w_hat = model.components_[0]
    assert w_hat[0] / w_hat[1] == pytest.approx(2.0, rel=1e-6)
    assert float(model.encoder_weight_[:, 0] @ w_hat) == pytest.approx(1.0, rel=1e-6)


def test_the_loss_is_never_below_the_closed_form_on_the_way(X):
    optimum = ae.PCA(L).fit(X).loss_
    losses = ae.LinearPCA(L, random_state=0).fit(X).loss_curve_
    assert min(losses) >= optimum * (1 - 1e-12)
    assert losses == sorted(losses, reverse=True)  # every accepted step of L-BFGS descends


def test_the_gradients_are_those_of_the_formula(X):
    """dW₁ = (2/B) Xᵀ R W₂ᵀ and so on; tied: (2/B)(Xᵀ R W + Rᵀ X W), without biases."""
    X = X - X.mean(axis=0)
    B = len(X)
    model = ae.LinearPCA(L, random_state=0, solver="adam", max_iter=1).fit(X)
    W1, b1, W2, b2 = (p.data for p in model.parameters())
    R = X @ W1 @ W2 + b1 @ W2 + b2 - X
    Z = X @ W1 + b1
    expected = [X.T @ R @ W2.T, np.sum(R @ W2.T, axis=0), Z.T @ R, R.sum(axis=0)]
    for gradient, formula in zip(ae.grad(model.loss(X), model.parameters()), expected, strict=True):
        np.testing.assert_allclose(gradient, 2 / B * formula, rtol=1e-9, atol=1e-12)
    tied = ae.LinearPCA(L, tied=True, random_state=0, solver="adam", max_iter=1).fit(X)
    for p in tied.parameters()[1:]:
        p.data[...] = 0.0
    W = tied.encoder_weight_
    R = X @ W @ W.T - X
    gradient, *_ = ae.grad(tied.loss(X), tied.parameters())
    np.testing.assert_allclose(gradient, 2 / B * (X.T @ R @ W + R.T @ X @ W), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tied", [False, True])
def test_partial_fit_learns_from_a_stream(X, tied):
    """Constant steps end in a cloud around the optimum, within a tenth of the variance that PCA leaves."""
    model = ae.LinearPCA(L, tied=tied, solver="adam", learning_rate_init=3e-3, batch_size=20, random_state=0)
    for _ in range(200):
        for start in range(0, len(X), 50):
            model.partial_fit(X[start : start + 50])
    assert model.reconstruction_error(X) <= 1.1 * ae.PCA(L).fit(X).loss_
    assert model.n_iter_ == 800


def test_partial_fit_goes_on_where_fit_ended_and_moves_the_biases_too(X):
    """The optimiser must hold the arrays that the model uses, although `fit` trained in the centred frame."""
    model = ae.LinearPCA(L, solver="adam", max_iter=5, learning_rate_init=1e-2, random_state=0).fit(X)
    before = [p.data.copy() for p in model.parameters()]
    error = model.reconstruction_error(X)
    for _ in range(20):
        model.partial_fit(X)
    assert all((p.data != b).any() for p, b in zip(model.parameters(), before, strict=True))
    assert model.reconstruction_error(X) < error


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_warm_start_goes_on_from_the_present_parameters(X, solver):
    model = ae.LinearPCA(L, solver=solver, max_iter=3, warm_start=True, random_state=0)
    with pytest.warns(ae.ConvergenceWarning) if solver == "lbfgs" else nothing():
        losses = [model.fit(X).loss_ for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    assert model.n_iter_ == len(model.loss_curve_) == 12


def nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_partial_fit_moves_the_parameters_after_a_warm_start_by_lbfgs(X):
    """L-BFGS works in float64: a float32 model gets new arrays, and the optimiser of the stream must follow."""
    X = X.astype(np.float32)
    model = ae.LinearPCA(L, warm_start=True, max_iter=2, random_state=0).partial_fit(X)
    with pytest.warns(ae.ConvergenceWarning, match="not converged in 2 iterations.*Raise max_iter"):
        model.fit(X)
    before = model.components_.copy()
    model.partial_fit(X)
    assert model.components_.dtype == np.float32
    assert (model.components_ != before).any()


def test_a_code_as_large_as_the_data_reconstructs_them(X):
    model = ae.LinearPCA(12, tol=1e-9, random_state=0, max_iter=2000).fit(X)
    assert model.loss_ <= 1e-6 * model.plateau(X)


def test_float32_data_give_float32_parameters_of_many_digits(X):
    single = X.astype(np.float32)
    model, pca = ae.LinearPCA(L, random_state=0).fit(single), ae.PCA(L).fit(single)
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert model.transform(single).dtype == model.reconstruct(single).dtype == np.float32
    assert ae.theory.compare(model, pca).largest_angle <= 1e-3


@pytest.mark.parametrize("tied", [False, True])
def test_constant_data_are_reproduced_at_once(tied):
    X = np.full((10, 4), 7.0)
    model = ae.LinearPCA(2, tied=tied, random_state=0).fit(X)
    np.testing.assert_allclose(model.reconstruct(X), X, rtol=1e-14)
    assert len(model.loss_curve_) == model.n_iter_ == 1


@pytest.mark.parametrize("setting", [{"early_stopping": True}, {"weight_decay": 0.1}])
def test_settings_that_lbfgs_would_ignore_are_refused(X, setting):
    name = next(iter(setting))
    with pytest.raises(ValueError, match=f"{name} is .*solver='lbfgs' does not know"):
        ae.LinearPCA(L, **setting).fit(X)
