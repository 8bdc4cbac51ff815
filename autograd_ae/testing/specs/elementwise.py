"""Ops that work element by element, with broadcasting, and the softmax family."""

from autograd_ae.ops import activations, arithmetic, choices, elementary, erf, softmax
from autograd_ae.ops.sigmoid import sigmoid
from autograd_ae.testing.specs.spec import (
    OpSpec,
    any_shape,
    binary,
    broadcastable,
    condition,
    distinct,
    nonzero,
    normal,
    positive,
    unary,
)


def moderate(rng, shape):
    """In [−1.2, 1.2]: away from the poles of tan."""
    return rng.uniform(-1.2, 1.2, size=shape)


def apart_from_distinct(rng, shape):
    """Never closer than 0.02 to a value of `distinct`: those lie on a lattice of 0.05."""
    return distinct(rng, shape) + 0.025


def around_one(rng, shape):
    """In [−0.8, 3]: away from the pole of ln(1 + x)."""
    return rng.uniform(-0.8, 3.0, size=shape)


def clipped(pick):
    bounds = {"a_min": (None, -0.1)[pick(0, 1)], "a_max": (None, 0.1)[pick(0, 1)]}
    return (any_shape(pick),), bounds if any(b is not None for b in bounds.values()) else {"a_min": 0.0}


def chosen(pick):
    return broadcastable(pick, 3), {}


def leaky(pick):
    return (any_shape(pick),), {"negative_slope": (0.01, -0.5, 0.0)[pick(0, 2)]}


def exponential(pick):
    return (any_shape(pick),), {"alpha": (1.0, 0.5, -2.0)[pick(0, 2)]}


def along_one_axis(pick):
    shape = tuple(pick(0, 4) for _ in range(pick(1, 3)))
    return (shape,), {"axis": pick(-len(shape), len(shape) - 1)}


def over_axes(pick):
    """Axes that are reduced have an entry: without, the value is −∞."""
    shape = any_shape(pick)
    axes = tuple(k for k in range(len(shape)) if pick(0, 1))
    axis, reduced = ((None, range(len(shape))), (tuple(k - len(shape) for k in axes), axes), (axes, axes))[pick(0, 2)]
    shape = tuple(max(n, 1) if k in reduced else n for k, n in enumerate(shape))
    return (shape,), {"axis": axis, "keepdims": bool(pick(0, 1))}


def comparison(call):
    return OpSpec(call.__name__, call, binary, differentiable=False, extreme=True)


SPECS = [
    OpSpec("add", arithmetic.add, binary, extreme=True),
    OpSpec("subtract", arithmetic.subtract, binary, extreme=True),
    OpSpec("multiply", arithmetic.multiply, binary, extreme=True),
    OpSpec("divide", arithmetic.divide, binary, (nonzero, nonzero), extreme=True),
    OpSpec("negative", arithmetic.negative, unary, extreme=True),
    OpSpec("power", arithmetic.power, binary, (positive, nonzero), extreme=True),
    OpSpec("square", arithmetic.square, unary, extreme=True),
    OpSpec("sqrt", arithmetic.sqrt, unary, positive, extreme=True),
    OpSpec("reciprocal", arithmetic.reciprocal, unary, nonzero, extreme=True),
    OpSpec("abs", choices.abs, unary, nonzero, extreme=True),
    OpSpec("sign", choices.sign, unary, differentiable=False, extreme=True),
    OpSpec("maximum", choices.maximum, binary, (distinct, apart_from_distinct), extreme=True),
    OpSpec("minimum", choices.minimum, binary, (distinct, apart_from_distinct), extreme=True),
    OpSpec("clip", choices.clip, clipped, distinct, extreme=True),
    OpSpec("where", choices.where, chosen, (condition, normal, normal)),
    comparison(choices.greater),
    comparison(choices.greater_equal),
    comparison(choices.less),
    comparison(choices.less_equal),
    comparison(choices.equal),
    comparison(choices.not_equal),
    OpSpec("exp", elementary.exp, unary, extreme=True),
    OpSpec("expm1", elementary.expm1, unary, extreme=True),
    OpSpec("log", elementary.log, unary, positive, extreme=True),
    OpSpec("log1p", elementary.log1p, unary, around_one, extreme=True),
    OpSpec("sin", elementary.sin, unary, extreme=True),
    OpSpec("cos", elementary.cos, unary, extreme=True),
    OpSpec("tan", elementary.tan, unary, moderate, extreme=True),
    OpSpec("arctan2", elementary.arctan2, binary, (nonzero, nonzero), extreme=True),
    OpSpec("sinh", elementary.sinh, unary, extreme=True),
    OpSpec("cosh", elementary.cosh, unary, extreme=True),
    OpSpec("tanh", elementary.tanh, unary, extreme=True),
    OpSpec("erf", erf.erf, unary, extreme=True),
    OpSpec("erfc", erf.erfc, unary, extreme=True),
    OpSpec("sigmoid", sigmoid, unary, extreme=True),
    OpSpec("log_sigmoid", activations.log_sigmoid, unary, extreme=True),
    OpSpec("softplus", activations.softplus, unary, extreme=True),
    OpSpec("relu", activations.relu, unary, nonzero, extreme=True),
    OpSpec("leaky_relu", activations.leaky_relu, leaky, nonzero, extreme=True),
    OpSpec("elu", activations.elu, exponential, nonzero, extreme=True),
    OpSpec("silu", activations.silu, unary, extreme=True),
    OpSpec("gelu", activations.gelu, unary, extreme=True),
    OpSpec("softmax", softmax.softmax, along_one_axis),
    OpSpec("log_softmax", softmax.log_softmax, along_one_axis),
    OpSpec("logsumexp", softmax.logsumexp, over_axes),
]
