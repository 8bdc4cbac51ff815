"""Workloads S, H and T: one training step, forward, backward and Adam, in float32 (the networks: `networks.py`).

Batches are NumPy arrays handed over anew at each step. The floor is the matrix products of a step alone, by NumPy's
BLAS into arrays that exist already: per layer X W, Xᵀ D, and D Wᵀ but for the first. S/128@2 has two CPUs and threads.
"""

from __future__ import annotations

from functools import partial

from benchmarks import training_own, training_peers
from benchmarks.networks import HINTON, LECTURE, circle_problem, digits_problem
from benchmarks.workload import Contender, Workload

OWN = Contender("autograd_ae", partial(training_own.captured, runtime="compiled"), needs=("autograd_ae.ops.api",))
TORCH = Contender("torch eager, default Adam", training_peers.torch_step, needs=("torch",))
CONTENDERS = [
    OWN,
    Contender("autograd_ae, replay", partial(training_own.captured, runtime="replay"), needs=("autograd_ae.ops.api",)),
    Contender("autograd_ae, eager", training_own.eager, needs=("autograd_ae.ops.api",)),
    Contender("NumPy by hand", training_peers.numpy_by_hand),
    TORCH,
    Contender("torch eager, fused Adam", partial(training_peers.torch_step, fused=True), needs=("torch",)),
    Contender(
        "torch.compile, fused Adam", partial(training_peers.torch_step, fused=True, compiled=True), needs=("torch",)
    ),
    Contender("jax.jit", training_peers.jax_jit, needs=("jax",)),
    Contender("HIPS autograd", training_peers.hips_autograd, needs=("autograd",)),
    Contender("mygrad", training_peers.mygrad, needs=("mygrad",)),
]
WRITTEN_OUT = Contender(
    "autograd_ae, step.compile()",
    partial(training_own.captured, runtime="compiled", written_out=True),
    needs=("autograd_ae.ops.api",),
)
FLOOR = Contender("floor: its matrix products", training_peers.matrix_products, checked=False)
MICROGRAD = Contender("micrograd", training_peers.micrograd, needs=("micrograd",))


def of_digits(name: str, sizes: tuple[int, ...], batch: int, *, threads: int | None = None) -> Workload:
    """A network for 784 pixels."""
    shown = "-".join(map(str, sizes)) + ("" if threads is None else f", {threads} threads")
    return Workload(
        name,
        f"training step of {shown}, all sigmoid, batch {batch}, float32",
        partial(digits_problem, sizes=sizes, batch=batch),
        [*CONTENDERS, FLOOR],
        threads=threads,
    )


WORKLOADS = [
    *(of_digits(f"S/{batch}", LECTURE, batch) for batch in (32, 128, 512)),
    of_digits("S/128@2", LECTURE, 128, threads=2),
    of_digits("H/256", HINTON, 256),
    Workload(
        "T",
        "training step of 2-8-1-8-2, all sigmoid, batch 32, float32",
        partial(circle_problem, batch=32),
        [*CONTENDERS, WRITTEN_OUT, MICROGRAD],
        unit="µs per step",
        scale=1e6,
    ),
]
