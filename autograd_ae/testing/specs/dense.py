"""The fused dense layers."""

from autograd_ae.ops.dense import dense
from autograd_ae.testing.specs.spec import OpSpec


def _dense(activation):
    def case(pick):
        n, m = pick(0, 4), pick(0, 4)
        lead = tuple(pick(0, 5) for _ in range(pick(0, 2)))
        return ((*lead, n), (n, m), (m,)), {"activation": activation}

    return case


SPECS = [
    OpSpec("dense", dense, _dense("identity")),
    OpSpec("dense_sigmoid", dense, _dense("sigmoid")),
    OpSpec("dense_tanh", dense, _dense("tanh")),
    OpSpec("dense_relu", dense, _dense("relu")),
    OpSpec("dense_gelu", dense, _dense("gelu"), ops=("dense", "gelu")),
]
