"""A judge of digits: a classifier, whose hidden units are the features in which samples are compared.

    x → 256 → 64 → 10 classes, ReLU,     loss = cross-entropy,     features = the 64 activations before the last layer

Distances between pixels take a blurred digit for near to all sharp ones; those between features of a network that was
trained to tell classes apart are closer to what a reader calls alike. The paper that defines precision and recall uses
such features of a network trained on photographs (Kynkäänniemi et al. 2019); this one is trained on all ten digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import autograd_ae as ae
from autograd_ae.data import Images
from autograd_ae.nn.layers import MLP, parameters
from autograd_ae.optim import Adam

SIZES, BATCH, RATE = (256, 64), 64, 1e-3


@dataclass(frozen=True)
class Judge:
    """A trained classifier."""

    network: MLP

    def features(self, X: np.ndarray) -> np.ndarray:
        """Activations of the last hidden layer, (B, 64), of images (B, n)."""
        return self._run(X, self.network.layers[:-1])

    def accuracy(self, part: Images) -> float:
        """The share of images whose class it names."""
        return float(np.mean(self._run(part.images, self.network.layers).argmax(axis=1) == part.labels))

    def _run(self, X: np.ndarray, layers) -> np.ndarray:
        h = np.ascontiguousarray(X, np.float32)
        with ae.no_grad():
            for layer in layers:
                h = layer(h)
        return np.array(h.data)


def train_judge(train: Images, *, epochs: int, seed: int) -> Judge:
    """A judge for these labelled images."""
    rng = np.random.default_rng(seed)
    X, classes = np.asarray(train.images, np.float32), int(train.labels.max()) + 1
    targets = np.eye(classes, dtype=np.float32)[train.labels]
    activations = ("relu",) * len(SIZES) + ("identity",)
    network = MLP.create((X.shape[1], *SIZES, classes), activations, rng=rng, dtype=np.float32)
    learned = parameters([network])
    optimizer = Adam([p.data for p in learned], learning_rate=RATE)

    def loss(x, t):
        return ae.cross_entropy(network(x), t)

    first = slice(0, BATCH)
    step = ae.capture(loss, ae.constant(X[first]), ae.constant(targets[first]))
    for _ in range(epochs):
        for rows in ae.data.batches(X, min(BATCH, len(X)), rng):
            step(X[rows], targets[rows])
            optimizer.step([step.gradients[p] for p in learned])
    return Judge(network)
