"""Gradient checkers judged by planted faults: `python -m benchmarks.checkers`.

Each function of a small set is given wrong gradients (`checker_tasks.py`), and its output is multiplied by 1, 1e-3, …
1e-12, as happens to a loss that is a mean, or a probability, or in other units. Each checker is used as its
documentation shows, with its default tolerances. Two columns count: faults that it rejects, at each scale; and right
gradients that it rejects at hard points (tails of the sigmoid, large and small inputs and outputs, float32: torch's
documentation asks for float64, and says so in a warning). A checker that is not installed is skipped by name.

Caught means that the checker says "wrong": it raises, returns False, or, ours, "disagrees"; "undecided" is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.checker_tasks import Task, hard_tasks, subjects, wrong_vjps

SCALES = (1.0, 1e-3, 1e-6, 1e-9, 1e-12)
COMPLEX_STEP = 1e-20
DIFFERENCE_STEP = 1e-6


# The checkers: True when they reject.

Rejects = Callable[[Task], bool]


def ours(method: str) -> Rejects:
    """autograd_ae.testing.check_vjp; "differences" is what it does with a function that it can only call."""
    from autograd_ae.testing import check_vjp

    def rejects(task: Task) -> bool:
        f, vjp = task.plain()
        return check_vjp(f, vjp, task.x, method=method).verdict == "disagrees"

    return rejects


def torch_gradcheck(fast: bool) -> Rejects:
    """torch.autograd.gradcheck of a custom Function."""
    torch = import_module("torch")

    def rejects(task: Task) -> bool:
        class Planted(torch.autograd.Function):  # type: ignore[name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return task.f(torch, x)

            @staticmethod
            def backward(ctx: Any, u: Any) -> Any:
                (x,) = ctx.saved_tensors
                return torch.as_tensor(task.gradient(np, x.detach().numpy(), u.detach().numpy()))

        x = torch.tensor(task.x, requires_grad=True)
        torch.manual_seed(0)
        return not torch.autograd.gradcheck(Planted.apply, (x,), fast_mode=fast, raise_exception=False)

    return rejects


def jax_check_grads() -> Rejects:
    """jax.test_util.check_grads of a custom_vjp, reverse mode, first order, in 64 bits."""
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    check_grads = import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)

    def rejects(task: Task) -> bool:
        planted = jax.custom_vjp(lambda x: task.f(jnp, x))
        planted.defvjp(lambda x: (task.f(jnp, x), x), lambda x, u: (task.gradient(jnp, x, u),))
        return _raises(lambda: check_grads(planted, (jnp.asarray(task.x),), order=1, modes=("rev",)))

    return rejects


def hips_check_grads() -> Rejects:
    """autograd.test_util.check_grads of a primitive, reverse mode, first order."""
    extend, check_grads = import_module("autograd.extend"), import_module("autograd.test_util").check_grads

    def rejects(task: Task) -> bool:
        planted = extend.primitive(lambda x: task.f(np, x))
        extend.defvjp(planted, lambda _y, x: lambda u: task.gradient(np, x, u))
        np.random.seed(0)  # noqa: NPY002  the checker draws from the global state
        return _raises(lambda: check_grads(planted, modes=["rev"], order=1)(task.x))

    return rejects


def complex_step(rtol: float = 1e-8, atol: float = 1e-8) -> Rejects:
    """Entry by entry, h = 1e-20, a random cotangent, compared with MyGrad's default tolerances."""

    def rejects(task: Task) -> bool:
        f, vjp = task.plain()
        u = np.random.default_rng(0).normal(size=np.shape(f(task.x)))
        true = np.zeros(task.x.shape)
        for i in np.ndindex(task.x.shape):
            z = task.x.astype(complex)
            z[i] += 1j * COMPLEX_STEP
            true[i] = np.sum(u * f(z).imag) / COMPLEX_STEP
        return not np.allclose(vjp(task.x, u.astype(task.x.dtype)), true, rtol=rtol, atol=atol)

    return rejects


def central_differences() -> Rejects:
    """(f(x + h) − f(x − h))/2h of the summed output, compared by np.allclose: what most courses show."""

    def rejects(task: Task) -> bool:
        f, vjp = task.plain()
        rough = np.zeros(task.x.shape)
        for i in np.ndindex(task.x.shape):
            up, down = task.x.copy(), task.x.copy()
            up[i] += DIFFERENCE_STEP
            down[i] -= DIFFERENCE_STEP
            rough[i] = (np.sum(f(up)) - np.sum(f(down))) / (2 * DIFFERENCE_STEP)
        return not np.allclose(vjp(task.x, np.ones(np.shape(f(task.x)), task.x.dtype)), rough)

    return rejects


def _raises(check: Callable[[], Any]) -> bool:
    try:
        check()
    except AssertionError:
        return True
    return False


CHECKERS: dict[str, Callable[[], Rejects]] = {
    "autograd_ae check_vjp": lambda: ours("auto"),
    "autograd_ae, opaque function": lambda: ours("differences"),
    "torch gradcheck, slow": lambda: torch_gradcheck(False),
    "torch gradcheck, fast": lambda: torch_gradcheck(True),
    "jax check_grads": jax_check_grads,
    "HIPS autograd check_grads": hips_check_grads,
    "complex step, MyGrad's tolerances": complex_step,
    "central differences, allclose": central_differences,
}


# The table.


def judge(rejects: Rejects) -> dict[str, Any]:
    """Faults caught and missed at each scale, and false alarms."""
    missed: dict[float, list[str]] = {scale: [] for scale in SCALES}
    total = 0
    for subject in subjects():
        for fault, vjp in wrong_vjps(subject):
            total += 1
            for scale in SCALES:
                if not rejects(Task(subject, vjp, subject.x, scale)):
                    missed[scale].append(f"{subject.name}: {fault}")
    alarms = [words for words, task in hard_tasks() if rejects(task)]
    return {"faults": total, "missed": missed, "alarms": alarms, "hard": len(hard_tasks())}


def row(name: str, result: dict[str, Any]) -> str:
    """One line of the table."""
    caught = [f"{result['faults'] - len(names):3d}/{result['faults']}" for names in result["missed"].values()]
    return f"{name:34s} {'  '.join(caught)}   {len(result['alarms']):3d}/{result['hard']}"


def main(argv: list[str] | None = None) -> int:
    """Exit code 0; 1 when our own checker misses a fault or raises a false alarm."""
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.checkers", description="Faults that gradient checkers catch."
    )
    p.add_argument("checkers", nargs="*", help="beginnings of names; all by default")
    p.add_argument("--verbose", action="store_true", help="name what was missed, and each false alarm")
    p.add_argument("--json", metavar="FILE", help="write everything")
    args = p.parse_args(argv)
    chosen = {k: v for k, v in CHECKERS.items() if not args.checkers or any(k.startswith(c) for c in args.checkers)}
    if not chosen:
        p.error(f"no checker begins so; there are {', '.join(CHECKERS)}")
    print(f"{'faults caught, output times':34s} {'  '.join(f'{scale:>6g}' for scale in SCALES)}   false alarms")
    results = {}
    for name, make in chosen.items():
        try:
            checker = make()
        except ImportError as error:
            print(f"{name:34s} skipped: {error}")
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            results[name] = judge(checker)
        print(row(name, results[name]), flush=True)
        if args.verbose:
            details = [f"  missed at {s:g}: {m}" for s, names in results[name]["missed"].items() for m in names]
            print("\n".join([*details, *(f"  false alarm: {words}" for words in results[name]["alarms"])]))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, ensure_ascii=False)
    own = [r for name, r in results.items() if name == "autograd_ae check_vjp"]
    return int(any(r["alarms"] or any(r["missed"].values()) for r in own))


if __name__ == "__main__":
    sys.exit(main())
