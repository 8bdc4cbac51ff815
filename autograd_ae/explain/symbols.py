r"""How values are called on the page: from a program to LaTeX symbols.

Names that the user gave are kept (`W_1`, `lambda` as λ), a matrix with a lower-case letter gets the capital. What has
no name gets one by the part it plays: X̂ is compared with X, Z is the code (the sample of a VAE, what a penalty looks
at, or the narrowest layer), M and S or V are the arguments of the Gaussian divergence, H⁽¹⁾, H⁽²⁾ are layers, A⁽¹⁾ what
goes into their activations, R = X̂ − X, λ the weight of a penalty, E the noise, L the loss. Anything else is T₁, T₂, …
(t for vectors, ℓ for numbers), constants C₁, C₂, …
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from autograd_ae.core.errors import GraphError
from autograd_ae.core.program import Line, Program

GREEK = frozenset(
    "alpha beta gamma delta epsilon eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega zeta".split()  # noqa: SIM905
)
ACTIVATIONS = {"sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "softmax"}
PENALTIES = {"l1": "S", "l2": "S", "bernoulli_kl": "S", "gaussian_kl": "F", "gaussian_kl_from_variance": "F"}
LOSSES = ("squared_error", "mse", "bce", "bce_with_logits", "cross_entropy")
ACCENTED = re.compile(r"^(\\hat\{[^{}]*\}|\\[A-Za-z]+(?:\{[^{}]*\})?|.)(.*)$", re.DOTALL)


def from_name(name: str, ndim: int) -> str:
    r"""A tensor's name as LaTeX: `W_1` is itself, `x` of a matrix `X`, `w_hat` is `\hat{w}`, `log_noise` is upright."""
    if any(c in name for c in "\\^{}"):
        return name
    head, *rest = [part for part in name.split("_") if part] or ["?"]
    hat = "hat" in rest
    rest = [part for part in rest if part != "hat"]
    if head in GREEK:
        shown = rf"\{head}" if head != "epsilon" else r"\varepsilon"
    elif len(head) == 1:
        shown = head.upper() if ndim >= 2 and head.isascii() and head.islower() else head
    elif (split := re.fullmatch(r"([A-Za-z])(\d+)", head)) is not None:
        shown, rest = (split[1].upper() if ndim >= 2 else split[1]), [split[2], *rest]
    else:
        return rf"\mathrm{{{' '.join([head, *rest])}}}".replace(" ", r"\,")
    shown = rf"\hat{{{shown}}}" if hat else shown
    if not rest:
        return shown
    inside = r"\,".join(part if len(part) == 1 or part.isdigit() else rf"\mathrm{{{part}}}" for part in rest)
    return f"{shown}_{{{inside}}}" if len(inside) > 1 else f"{shown}_{inside}"


def barred(symbol: str) -> str:
    r"""The gradient's symbol: `W_1` gives `\bar{W}_1`."""
    found = ACCENTED.match(symbol)
    assert found is not None
    return rf"\bar{{{found[1]}}}{found[2]}"


class Symbols:
    """LaTeX of every value of a program, by its number."""

    def __init__(self, program: Program, given: Mapping[str, str]):
        self.program, self.given = program, dict(given)
        self.of: dict[int, str] = {}
        self.made: dict[int, Line] = {line.out: line for line in program.forward}
        self.users: dict[int, list[Line]] = {}
        for line in program.forward:
            for a in line.args:
                self.users.setdefault(a, []).append(line)
        self.taken: set[str] = set()
        self.output = program.outputs[0]
        self.code: int | None = None
        self._name_leaves()
        self._name_output()
        self._name_roles()
        self._name_layers()
        self._name_rest()
        self._refuse_unknown()

    def kind(self, place: int) -> str:
        return self.program.values[place].kind

    def ndim(self, place: int) -> int:
        return len(self.program.values[place].shape)

    def set(self, place: int, symbol: str) -> None:
        """Give a symbol to a value that has none; a symbol that is taken gets a prime."""
        if place in self.of:
            return
        symbol = self.given.get(symbol, symbol)
        while symbol in self.taken:
            symbol = rf"{symbol}'" if "'" in symbol or "^" not in symbol else rf"\tilde{{{symbol[0]}}}{symbol[1:]}"
        self.of[place] = symbol
        self.taken.add(symbol)

    # By what the user called it.

    def _name_leaves(self) -> None:
        for place, value in enumerate(self.program.values):
            if value.kind not in ("input", "parameter", "constant") or not value.name:
                continue
            if value.name in self.given:
                self.set(place, self.given[value.name])
            elif not value.name.startswith("noise"):
                self.set(place, from_name(value.name, len(value.shape)))

    def _name_output(self) -> None:
        if self.program.values[self.output].shape == ():
            self.set(self.output, "L")
        else:
            self.set(self.output, "Y" if self.ndim(self.output) > 1 else "y")

    # By the part it plays.

    def _name_roles(self) -> None:
        for line in self.program.forward:
            args = line.args
            if line.label in LOSSES:
                self._prediction(line.label, *args)
                self.set(line.out, r"L_{\mathrm{rec}}")
            elif line.label in PENALTIES:
                self._penalised(line)
            elif line.label.startswith("reparameterise"):
                self._sampled(line)
            elif line.label == "subtract" and self.ndim(line.out) > 0 and self.kind(args[0]) == "result":
                if self.kind(args[1]) in ("constant", "input") and args[1] in self.of:
                    self._prediction("residual", *args)
                self.set(line.out, "R" if self.ndim(line.out) > 1 else "r")

    def _prediction(self, loss: str, prediction: int, target: int) -> None:
        if target not in self.of:
            self.set(target, "X" if self.ndim(target) > 1 else "x")
        if loss in ("bce_with_logits", "cross_entropy"):
            self.set(prediction, r"\hat{A}")
        elif "hat" not in self.of[target]:
            self.set(prediction, rf"\hat{{{self.of[target][0]}}}{self.of[target][1:]}")

    def _penalised(self, line: Line) -> None:
        self.set(line.out, PENALTIES[line.label])
        if line.label.startswith("gaussian"):
            lower = self.ndim(line.args[0]) < 2
            for place, symbol in zip(line.args, "MV" if line.label.endswith("variance") else "MS", strict=True):
                self.set(place, symbol.lower() if lower else symbol)
        elif self.kind(line.args[0]) == "result":
            self.code = line.args[0]
            self.set(line.args[0], "Z" if self.ndim(line.args[0]) > 1 else "z")
        for user in self.users.get(line.out, ()):
            weight = [a for a in user.args if a != line.out]
            if user.label == "multiply" and len(weight) == 1 and self.kind(weight[0]) != "result":
                self.set(weight[0], r"\lambda")
                self.set(user.out, rf"\ell_{{{PENALTIES[line.label]}}}")

    def _sampled(self, line: Line) -> None:
        lower = self.ndim(line.out) < 2
        for place, symbol in zip(line.args, "MVE" if line.label.endswith("variance") else "MSE", strict=True):
            small = r"\varepsilon" if symbol == "E" else symbol.lower()
            self.set(place, small if lower else symbol)
        self.code = line.out
        self.set(line.out, "z" if lower else "Z")

    # Layers.

    def _name_layers(self) -> None:
        layers = [line for line in self.program.forward if self.is_layer(line)]
        if self.code is None:
            self.code = self._bottleneck(layers)
            if self.code is not None:
                self.set(self.code, "Z" if self.ndim(self.code) > 1 else "z")
        for number, line in enumerate(layers, start=1):
            *before, out = self.layer(line)
            if before and self.made[out].label in ACTIVATIONS and before[-1] not in self.of:
                self.set(before[-1], ("A" if self.ndim(out) > 1 else "a") + f"^{{({number})}}")
            if out not in self.of:
                self.set(out, ("H" if self.ndim(out) > 1 else "h") + f"^{{({number})}}")

    def is_layer(self, line: Line) -> bool:
        """Does it multiply by weights?"""
        if line.label.startswith("dense"):
            return True
        if line.label != "matmul":
            return False
        weights = line.args[1]
        while weights in self.made and self.made[weights].label == "transpose":
            weights = self.made[weights].args[0]
        return self.kind(weights) == "parameter"

    def layer(self, line: Line) -> list[int]:
        """The values of a layer from its product to its output: after the bias and the activation, if nothing else uses
        what comes before."""
        values = [line.out]
        for _ in range(2):
            users = self.users.get(values[-1], [])
            if len(users) == 1 and (
                users[0].label in ACTIVATIONS
                or (users[0].label == "add" and any(self.kind(a) == "parameter" for a in users[0].args))
            ):
                values.append(users[0].out)
        return values

    def _bottleneck(self, layers: list[Line]) -> int | None:
        """The narrowest layer between the input and an output that is compared with the input."""
        compared = [line for line in self.program.forward if line.label in (*LOSSES, "subtract")]
        if len(layers) < 2 or not compared or not any(c.args[1] == layers[0].args[0] for c in compared):
            return None
        inner = [self.layer(line)[-1] for line in layers[:-1]]
        widths = [self.program.values[place].shape[-1] for place in inner]
        return inner[widths.index(min(widths))]

    # Everything else.

    def _name_rest(self) -> None:
        constants = results = 0
        for place, value in enumerate(self.program.values):
            if place in self.of or value.kind in ("nothing", "gradient", "partial"):
                continue
            rank = len(value.shape)
            if value.kind == "result":
                results += 1
                self.set(place, ("\\ell" if rank == 0 else "t" if rank == 1 else "T") + f"_{{{results}}}")
            elif value.shape != () or value.kind != "constant" or value.dtype == bool:
                constants += 1
                letter = "c" if value.kind == "constant" else "p"
                self.set(place, (letter.upper() if rank > 1 else letter) + f"_{{{constants}}}")

    def _refuse_unknown(self) -> None:
        names = {v.name for v in self.program.values if v.name}
        known = names | set(self.taken)
        wrong = [name for name in self.given if name not in known and self.given[name] not in self.taken]
        if wrong:
            there = ", ".join(sorted(names | {s for s in self.taken if "\\" not in s}))
            raise GraphError(f"symbols names {wrong[0]!r}, which this computation does not have; there are {there}")

    def number_of(self, place: int) -> bool:
        """Is it a bare number, written as such?"""
        return place not in self.of
