"""Losses, penalties and the two functions of the variational autoencoder."""

from autograd_ae.ops import gaussian, losses, sparsity
from autograd_ae.testing.specs.spec import OpSpec, any_shape, nonzero, normal, positive, unit


def some_samples(pick):
    """0 to 3 axes, the first of which is not empty when there are others."""
    shape = any_shape(pick)
    return (max(shape[0], 1), *shape[1:]) if len(shape) > 1 else shape


def of_one(pick):
    return (some_samples(pick),), {}


def of_two(pick):
    shape = some_samples(pick)
    return (shape, shape), {}


def of_two_not_empty(pick):
    shape = any_shape(pick, least=1)
    return (shape, shape), {}


def of_classes(pick):
    shape = (*[max(n, 1) for n in some_samples(pick)[:2]], pick(1, 4))
    return (shape, shape), {}


def of_activations(pick):
    params = {"rho": (0.05, 0.5)[pick(0, 1)], "form": ("lecture", "ufldl")[pick(0, 1)]}
    return (any_shape(pick, least=1),), {**params, "over": ("units", "batch")[pick(0, 1)]}


def of_noise(pick):
    """Noise of any shape; mean and spread of that shape or smaller."""
    whole = any_shape(pick)
    parts = [tuple(1 if pick(0, 3) == 0 else n for n in whole[pick(0, 1) * pick(0, len(whole)) :]) for _ in range(2)]
    return (*parts, whole), {}


SPECS = [
    OpSpec("mse", losses.mse, of_two_not_empty),
    OpSpec("squared_error", losses.squared_error, of_two),
    OpSpec("bce", losses.bce, of_two, unit),
    OpSpec("bce_with_logits", losses.bce_with_logits, of_two, (normal, unit)),
    OpSpec("cross_entropy", losses.cross_entropy, of_classes, (normal, unit)),
    OpSpec("l1", sparsity.l1, of_one, nonzero),
    OpSpec("l2", sparsity.l2, of_one),
    OpSpec("bernoulli_kl", sparsity.bernoulli_kl, of_activations, unit),
    OpSpec("gaussian_kl", gaussian.gaussian_kl, of_two),
    OpSpec("gaussian_kl_from_variance", gaussian.gaussian_kl_from_variance, of_two, (normal, positive)),
    OpSpec("reparameterise", gaussian.reparameterise, of_noise),
    OpSpec("reparameterise_from_variance", gaussian.reparameterise_from_variance, of_noise, (normal, positive, normal)),
]
