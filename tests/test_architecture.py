"""Who may import whom, and what an import may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_ae

PACKAGE = Path(autograd_ae.__file__).parent
# A folder may import what is named here, and itself. The modules that stand beside the folders have rows as well.
ENGINE = {"core", "ops", "runtime"}
BELOW = {*ENGINE, "nn", "optim", "theory", "data", "plot", "models", "testing", "explain"}
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
    "testing": ENGINE,
    "explain": {"core", "ops", "testing"},  # only testing.diagnose: what is wrong with a gradient of one's own
    "doctor": BELOW,
    "lecture": BELOW,
    "cli": {*BELOW, "doctor", "lecture"},
    "__main__": {"cli"},
    "__init__": set(),
}


def home_of(name):
    """The folder that `autograd_ae.name` leads to; None for what is no import, such as `__version__`."""
    if name in autograd_ae._HOME_OF:
        return autograd_ae._HOME_OF[name].partition(".")[0]
    return name if name in ALLOWED else None


def imported_folders(source, package=()):
    """Folders of the package that source code imports, wherever the import stands, and whatever it is called there.

    `package` is where the source stands, such as ("autograd_ae", "theory"), for relative imports.
    """
    tree, called = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                if top == "autograd_ae":
                    called |= {alias.asname or top} if not (rest and alias.asname) else set()
                    yield rest.partition(".")[0] or None
        elif isinstance(node, ast.ImportFrom):
            base = list(package)[: len(package) - node.level + 1] if node.level else []
            parts = [*base, *(node.module or "").split(".")] if node.module else base
            if parts[:1] == ["autograd_ae"]:
                yield from [parts[1]] if len(parts) > 1 else [home_of(alias.name) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in called:
            yield home_of(node.attr)


@pytest.mark.parametrize(
    ("source", "folders"),
    [
        ("import autograd_ae.nn.layers", {"nn"}),
        ("from autograd_ae.nn import Dense", {"nn"}),
        ("from autograd_ae import nn, PCA", {"nn", "models"}),
        ("import autograd_ae as ae\nae.PCA()", {"models"}),
        ("def f():\n    import autograd_ae\n    autograd_ae.plot.save", {"plot"}),
        ("import autograd_ae.ops.api as api\napi.PCA", {"ops"}),
        ("from . import laws", {"theory"}),
        ("from .. import sigmoid", {"ops"}),
        ("from ..nn.layers import Dense", {"nn"}),
        ("import autograd_ae\nautograd_ae.__version__", set()),
        ("import numpy as np\nnp.nn", set()),
    ],
)
def test_imports_are_seen_in_every_form(source, folders):
    assert set(imported_folders(source, ("autograd_ae", "theory"))) - {None} == folders


def test_every_folder_and_every_module_has_a_row():
    here = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.rglob("*.py"))}
    assert set(ALLOWED) == here | {p.stem for p in PACKAGE.glob("*.py")}
    assert {name for name in here if not name.startswith("_")} == {*autograd_ae._SUBPACKAGES, "cli"}


@pytest.mark.parametrize("folder", list(ALLOWED))
def test_nothing_imports_upwards(folder):
    files = [*(PACKAGE / folder).rglob("*.py"), *PACKAGE.glob(f"{folder}.py")]
    assert files
    for path in files:
        package = path.relative_to(PACKAGE.parent).parts[:-1]
        wrong = set(imported_folders(path.read_text(), package)) - ALLOWED[folder] - {folder, None}
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
    with pytest.raises(AttributeError, match=r"did you mean 'data\.load_digits'"):
        autograd_ae.load_digits  # noqa: B018
