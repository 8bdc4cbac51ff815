"""The exact identities of gradients hold all along the training of every model, not only where a test puts it.

Each model is trained by `fit` on data of its kind, and its callback calls the laws of `autograd_ae.testing.laws` on the
loss that is being trained, at the parameters as they are after several of the epochs. No finite differences: one side
of an identity is compared with the other.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import pytest

import autograd_ae as ae
from autograd_ae.testing import laws

X = 0.1 + 0.8 * np.random.default_rng(0).uniform(size=(8, 5))
EPOCHS = (1, 4, 12)  # after these the laws are called
OPTIONS = {"max_iter": max(EPOCHS), "batch_size": 4, "learning_rate_init": 0.03, "random_state": 0}
MLP = {"hidden_layer_sizes": (4,), **OPTIONS}
LINEAR = {"code_activation": "identity", "output_activation": "identity"}
WHOLE = {"max_iter": max(EPOCHS), "tol": 0.0, "random_state": 0}  # for L-BFGS


@dataclass(frozen=True)
class Run:
    """A model to train, and which identities its architecture has.

    linear, relu, sigmoid : layers k whose units are linear, relu, sigmoid: their incoming weights are layer k's, their
        outgoing ones layer k + 1's, counted through encoder and decoder.
    hidden : layers whose units may be permuted.    rotates : whether a rotation of the data turns first and last layer.
    additive : whether the loss is a mean over samples.
    """

    model: object
    linear: tuple[int, ...] = ()
    relu: tuple[int, ...] = ()
    sigmoid: tuple[int, ...] = ()
    hidden: tuple[int, ...] = ()
    rotates: bool = False
    additive: bool = True
    data: np.ndarray = field(default_factory=lambda: X)


RUNS = {
    "LinearPCA": Run(ae.LinearPCA(2, **WHOLE), linear=(0,), hidden=(0,), rotates=True),
    "LinearPCA, Adam": Run(ae.LinearPCA(2, solver="adam", **OPTIONS), linear=(0,), hidden=(0,), rotates=True),
    "DeepPCA": Run(ae.DeepPCA(2, hidden_layer_sizes=(4,), **WHOLE), linear=(1,), hidden=(0, 1, 2), rotates=True),
    "DeepPCA, circular": Run(
        ae.DeepPCA(1, code="circular", hidden_layer_sizes=(4,), **WHOLE), hidden=(0, 2), rotates=True
    ),
    "Autoencoder, all sigmoid": Run(ae.Autoencoder(2, **MLP), sigmoid=(0, 1, 2), hidden=(0, 1, 2)),
    "Autoencoder, cross-entropy": Run(
        ae.Autoencoder(2, reconstruction_loss="bce", **MLP), sigmoid=(0, 1, 2), hidden=(0, 1, 2)
    ),
    "Autoencoder, relu": Run(
        ae.Autoencoder(2, activation="relu", **LINEAR, **MLP), relu=(0, 2), linear=(1,), hidden=(0, 1, 2), rotates=True
    ),
    "Autoencoder, momentum": Run(
        ae.Autoencoder(2, solver="sgd", **LINEAR, **MLP), sigmoid=(0, 2), linear=(1,), hidden=(0, 1, 2), rotates=True
    ),
    "Autoencoder, L-BFGS": Run(
        ae.Autoencoder(2, solver="lbfgs", hidden_layer_sizes=(4,), **WHOLE), sigmoid=(0, 1, 2), hidden=(0, 1, 2)
    ),
    "SparseAE, L1": Run(
        ae.SparseAE(6, penalty="l1", sparsity_weight=0.1, code_activation="relu", **OPTIONS), hidden=(0,), rotates=True
    ),
    "SparseAE, KL over the units": Run(
        ae.SparseAE(6, penalty="kl", kl_over="units", **MLP), sigmoid=(0, 2), hidden=(0, 1, 2), rotates=True
    ),
    "SparseAE, KL over the batch": Run(
        ae.SparseAE(6, penalty="kl", kl_over="batch", **MLP), sigmoid=(0, 2), hidden=(0, 1, 2), additive=False
    ),
    "DenoisingAE, Gaussian": Run(
        ae.DenoisingAE(2, **LINEAR, **MLP), sigmoid=(0, 2), linear=(1,), hidden=(0, 1, 2)
    ),
    "DenoisingAE, masking": Run(
        ae.DenoisingAE(2, corruption="masking", activation="relu", **LINEAR, **MLP), relu=(0, 2), linear=(1,)
    ),
    "VAE, Bernoulli": Run(ae.VAE(2, **MLP), relu=(2,), hidden=(2,)),
    "VAE, learned variance": Run(
        ae.VAE(2, likelihood="gaussian", observation_variance="learned", activation="sigmoid", **MLP), sigmoid=(2,),
        hidden=(2,),
    ),
}  # fmt: skip


class Witness:
    """The laws of a run, called on the model as training left it after an epoch."""

    def __init__(self, run):
        self.run, self.epochs, self.count = run, [], 0

    def __call__(self, model, epoch):
        if epoch not in EPOCHS:
            return
        self.epochs.append(epoch)
        self.rng = np.random.default_rng(epoch)
        noise = model._draw(self.run.data, self.rng)
        self.batch = (self.run.data, *(n for n in noise if len(n) == len(self.run.data)))
        rest = [n for n in noise if len(n) != len(self.run.data)]  # the weight of a VAE's KL is no sample's
        self.loss = lambda *batch: model.loss(*batch, *rest)
        self.parameters = model.parameters()
        self.layers = [*model.encoder_.layers, *model.decoder_.layers]
        for law in (self.batches, self.permutations, self.rotations, self.units):
            law()

    def batches(self):
        if self.run.additive:
            laws.assert_batch_gradient_is_mean(self.loss, self.parameters, self.batch)
        else:
            with pytest.raises(AssertionError, match="not the mean over samples"):
                laws.assert_batch_gradient_is_mean(self.loss, self.parameters, self.batch)

    def permutations(self):
        hidden = [(*self.incoming(k), self.layers[k + 1].W) for k in self.run.hidden]
        laws.assert_permutation_equivariant(self.loss, self.parameters, self.batch, self.rng, hidden=hidden)

    def rotations(self):
        if self.run.rotates:
            turned = {"first": [self.layers[0].W], "last": [self.layers[-1].W, self.layers[-1].b]}
            laws.assert_rotation_equivariant(self.loss, self.parameters, self.batch, self.rng, **turned)

    def units(self):
        for k in self.run.linear:
            laws.assert_balance_linear(self.loss, self.batch, *self.incoming(k), self.layers[k + 1].W)
        for k in self.run.relu:
            laws.assert_balance_relu(self.loss, self.batch, *self.incoming(k), self.layers[k + 1].W)
        for k in self.run.sigmoid:
            after = self.layers[k + 1]
            laws.assert_sigmoid_flip(self.loss, self.batch, *self.incoming(k), after.W, after.b, unit=1)

    def incoming(self, k):
        return self.layers[k].W, self.layers[k].b


@pytest.mark.parametrize("name", RUNS)
def test_identities_of_gradients_hold_all_along_training(name):
    witness = Witness(RUNS[name])
    start, now = [], []

    def callback(model, epoch):
        (now if start else start).append([p.data.copy() for p in model.parameters()])
        witness(model, epoch)

    fit(RUNS[name], callback)
    assert len(witness.epochs) >= 2
    moved = [np.abs(a - b).max() for a, b in zip(start[0], now[-1], strict=True) if a.ndim == 2]
    assert min(moved) > 1e-6  # it did train


@pytest.mark.parametrize("name", ["LinearPCA", "Autoencoder, all sigmoid", "VAE, Bernoulli"])
def test_looking_does_not_disturb_training(name):
    watched, alone = fit(RUNS[name], Witness(RUNS[name])), fit(RUNS[name], None)
    for a, b in zip(watched.parameters(), alone.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_with_an_l2_penalty_the_balance_of_a_linear_code_holds_all_along_training_with_its_own_terms():
    """W₁ᵀ∇W₁ + b₁ ⊗ ∇b₁ − 2 W₁ᵀW₁Γ = ∇W₂W₂ᵀ − 2ΓW₂W₂ᵀ."""
    gamma, seen = np.array([0.02, 0.05]), []

    def callback(model, epoch):
        W1, b1, W2, _ = model.parameters()
        g1, gb, g2 = ae.grad(model.loss(X), [W1, b1, W2])
        W1, b1, W2 = W1.data, b1.data, W2.data
        left = W1.T @ g1 + np.outer(b1, gb) - 2 * W1.T @ W1 * gamma
        right = g2 @ W2.T - 2 * gamma[:, None] * (W2 @ W2.T)
        seen.append(np.abs(left - right).max() / max(np.abs(g).max() for g in (g1, gb, g2)))

    ae.LinearPCA(2, l2=gamma, solver="adam", **OPTIONS).fit(X, callback=callback)
    assert len(seen) == max(EPOCHS)
    assert max(seen) < 1e-12


def fit(run, callback):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ae.ConvergenceWarning)
        return run.model.fit(run.data, callback=callback)
