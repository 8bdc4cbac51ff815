"""Who may import whom, and what an import may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_ae

PACKAGE = Path(autograd_ae.__file__).parent
# A folder may import what stands left of it here, and itself; `lecture` and `cli` may import everything.
ALLOWED = {
    "core": set(),
    "ops": {"core"},
    "nn": {"core", "ops"},
    "optim": {"core"},  # only core.jit: its kernels work on arrays
    "runtime": {"core", "ops", "optim"},  # the optimisers' kernels, for a step in one call
    "theory": set(),
    "data": set(),
    "plot": set(),
    "models": {"core", "ops", "nn", "optim", "data", "runtime"},
    "testing": {"core", "ops", "runtime"},
    "explain": {"core", "ops", "testing"},  # only testing.diagnose: what is wrong with a gradient of one's own
}


def imported_folders(path):
    """Folders of the package that a file imports, wherever in the file the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        modules = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for module in modules:
            parts = module.split(".")
            if isinstance(node, ast.ImportFrom) and node.level:
                parts = [*path.relative_to(PACKAGE.parent).parts[: -node.level], *parts]
            if parts[0] == "autograd_ae" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("folder", list(ALLOWED))
def test_nothing_imports_upwards(folder):
    files = list((PACKAGE / folder).rglob("*.py"))
    assert files
    for path in files:
        wrong = set(imported_folders(path)) - ALLOWED[folder] - {folder}
        assert not wrong, f"{path.relative_to(PACKAGE)} imports {wrong}"


@pytest.mark.parametrize(
    "code",
    ["import autograd_ae", "import autograd_ae as ae; ae.tensor; ae.PCA; ae.data; ae.theory; ae.plot; ae.optim; ae.nn"],
)
def test_imports_load_no_heavy_library(code):
    heavy = "print([m for m in ('numba', 'matplotlib', 'tqdm', 'sklearn', 'hypothesis') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; {heavy}"], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"


def test_every_public_name_exists_and_is_listed():
    for name in autograd_ae.__all__:
        assert getattr(autograd_ae, name) is not None
    assert set(autograd_ae.__all__) <= set(dir(autograd_ae))


def test_a_misspelt_name_is_an_attribute_error_with_a_suggestion():
    with pytest.raises(AttributeError, match="did you mean 'sigmoid'"):
        autograd_ae.sigmoidd  # noqa: B018
