"""What a type checker says of a program that uses the package: real types, no Any, and misspelt names found."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import autograd_ae

STUB = Path(autograd_ae.__file__).with_suffix(".pyi")
NDARRAY = r"numpy\.ndarray\[.*\]"
# An expression of a user's program, and what its type must match.
TYPES = {
    "ae.Autoencoder": r"def \(n_components: int =, \*, .*\) -> autograd_ae\.models\.autoencoder\.Autoencoder",
    "ae.PCA(2).fit([[1.0, 2.0]])": r"autograd_ae\.models\.pca\.PCA",
    "ae.VAE(2).set_params(beta=2.0).fit([[1.0, 2.0]])": r"autograd_ae\.models\.vae\.VAE",
    "ae.theory.compare(ae.VAE(2), [[1.0, 2.0]])": r"autograd_ae\.theory\.verdicts\.Verdict",
    "ae.theory.compare(ae.LinearPCA(2), ae.PCA(2))": r"autograd_ae\.theory\.compare\.Comparison",
    "ae.tensor([1.0])": r"autograd_ae\.core\.tensor\.Tensor",
    "1.0 - x * x": r"autograd_ae\.core\.tensor\.Tensor",
    "ae.sigmoid(x)": r"autograd_ae\.core\.tensor\.Tensor",
    "ae.dense(x, x, x)": r"autograd_ae\.core\.tensor\.Tensor",
    "ae.grad(x.sum(), x)": NDARRAY,
    "ae.grad(x.sum(), [x])": rf"tuple\[{NDARRAY}, \.\.\.\]",
    "ae.no_grad()": r"contextlib\.AbstractContextManager\[None, .*\]",
    "ae.explain(x)": r"autograd_ae\.explain\.derivation\.Derivation",
    "ae.graph(x)": r"autograd_ae\.explain\.graph\.Graph",
    "ae.capture(ae.sum, x)": r"autograd_ae\.runtime\.capture\.Step",
    "ae.nn.Dense": r"def \(W: .*\) -> autograd_ae\.nn\.layers\.Dense",
    "ae.optim.Adam": r"def \(.*\) -> autograd_ae\.optim\.adam\.Adam",
    "ae.testing.check_gradient": r"def \(.*\) -> autograd_ae\.testing\.verdict\.Check",
    "ae.theory.eckart_young": r"def \(.*\) -> autograd_ae\.theory\.linear\.LinearOptimum",
    "ae.data.load_digits().train.images": NDARRAY,
}


@pytest.fixture(scope="module")
def revealed(tmp_path_factory):
    """mypy's answers for a program that names everything: types by expression, and its errors."""
    pytest.importorskip("mypy")
    asked = [*TYPES, *(f"ae.{name}" for name in autograd_ae.__all__)]
    lines = ["import autograd_ae as ae", "x = ae.tensor([1.0])", *(f"reveal_type({what})" for what in asked)]
    script = tmp_path_factory.mktemp("user") / "program.py"
    script.write_text("\n".join([*lines, "ae.sigmoidd(x)", "ae.tensor(1.0).grad_of"]) + "\n")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", str(script)],
        cwd=Path(autograd_ae.__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    found = re.findall(r'program\.py:(\d+): note: Revealed type is "(.*)"', run.stdout)
    assert len(found) == len(asked), run.stdout + run.stderr
    return {asked[int(line) - 3]: kind for line, kind in found}, re.findall(r"error: (.*)", run.stdout)


@pytest.mark.parametrize("expression", TYPES)
def test_type_checkers_see_real_types(revealed, expression):
    assert re.fullmatch(TYPES[expression], revealed[0][expression])


def test_no_public_name_is_any(revealed):
    assert [name for name, kind in revealed[0].items() if kind == "Any"] == []


def test_type_checkers_find_misspelt_names(revealed):
    assert [error.split("  [")[0] for error in revealed[1]] == [
        'Module has no attribute "sigmoidd"',
        '"Tensor" has no attribute "grad_of"',
    ]


def test_the_stub_names_what_the_lazy_table_names_from_the_same_modules():
    homes = {}
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.name == "*" or alias.asname == alias.name, "a stub exports `x as x` only"
                names = import_module(node.module).__all__ if alias.name == "*" else [alias.name]
                homes |= dict.fromkeys(names, node.module)
    table = {name: f"autograd_ae.{home}" for name, home in autograd_ae._HOME_OF.items()}
    table |= dict.fromkeys(autograd_ae._SUBPACKAGES, "autograd_ae") | {"explain": "autograd_ae.explain"}
    assert homes == table
