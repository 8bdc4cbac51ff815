"""`python .ci/docs [FOLDER]`: the API reference and the formulary as pages that need no network, in `site/` by default.

    FOLDER/index.html            where to begin
    FOLDER/api/                  the reference, by pdoc: public names only, each file's lesson above them
    FOLDER/formulary/            a page for every op and every model's loss (`autograd-ae explain --all`)

Public is what a package lists in `__all__`; a file is shown if it defines something public, with that alone. At the end
every link between the pages is followed; one that leads nowhere is an error.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

from docstrings import markdown  # beside this file

import autograd_ae
from autograd_ae.explain.page import page
from autograd_ae.lecture import formulary

TEMPLATES = Path(__file__).parent / "templates"
BEGIN = """
<p><strong>autograd_ae</strong> is the autoencoder laboratory in which every gradient is derived, checked and fast.</p>
<ul>
<li><a href="api/autograd_ae.html">API reference</a>: every public name, and the lesson of the file that it is in.</li>
<li><a href="formulary/index.html">Formulary</a>: every op and every model's loss: statement, gradients, derivation,
code, an example checked by complex step.</li>
</ul>
"""


def public() -> dict[str, list[str]]:
    """The modules to show, with the public names that each defines or, if a package, lists."""
    packages = [m for m in _modules() if hasattr(m, "__path__") and hasattr(m, "__all__")]
    shown = {m.__name__: list(m.__all__) for m in packages}
    homes: dict[str, list[str]] = {}
    for package in packages:
        for name in package.__all__:
            value = getattr(package, name)
            for named in value.__mro__ if isinstance(value, type) else [value]:  # what a class inherits is public too
                home = getattr(named, "__module__", None) or ""
                known = homes.setdefault(home, []) if home.startswith("autograd_ae.") and home not in shown else None
                if known is not None and getattr(named, "__name__", name) not in known:
                    known.append(getattr(named, "__name__", name))
    for name, names in homes.items():
        module = importlib.import_module(name)
        order = list(vars(module))
        defined = sorted((n for n in names if n in order), key=order.index)
        if defined and not any(part.startswith("_") for part in name.split(".")):
            shown[name] = defined
    for name in list(shown):  # packages on the way to them
        parts = name.split(".")
        for k in range(1, len(parts)):
            shown.setdefault(".".join(parts[:k]), [])
    return dict(sorted(shown.items()))


def _modules() -> list[ModuleType]:
    """All packages of autograd_ae, without the command line and what pytest loads."""
    found = [autograd_ae]
    for info in pkgutil.walk_packages(autograd_ae.__path__, "autograd_ae."):
        if info.ispkg and not info.name.startswith(("autograd_ae.cli", "autograd_ae.runtime")):
            found.append(importlib.import_module(info.name))
    return found


def reference(folder: Path) -> None:
    """Write the API reference."""
    import pdoc
    import pdoc.doc
    import pdoc.render

    warnings.filterwarnings("ignore", "Error parsing source code")  # of a lambda in a table: it is shown all the same
    footer = f"autograd_ae {autograd_ae.__version__}"
    pdoc.render.configure(include_undocumented=False, footer_text=footer, template_directory=TEMPLATES)
    pdoc.render.env.filters["to_markdown"] = markdown
    shown = public()
    modules: dict[str, Any] = {}
    for name, names in shown.items():
        module = importlib.import_module(name)
        module.__all__ = names
        modules[name] = pdoc.doc.Module(module)
    for name, module in modules.items():
        module.submodules = [m for other, m in modules.items() if other.rpartition(".")[0] == name]
        target = folder / f"{name.replace('.', '/')}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(unlinked(pdoc.render.html_module(module, modules)), encoding="utf-8")
    (folder / "index.html").write_text(pdoc.render.html_index(modules), encoding="utf-8")
    (folder / "search.js").write_text(pdoc.render.search_index(modules), encoding="utf-8")


def unlinked(text: str) -> str:
    """A page in which links to places that it does not have, methods without a description, are plain text."""
    places = set(re.findall(r'\bid="([^"]*)"', text))
    return re.sub(
        r'<a href="#([^"]*)">(.*?)</a>', lambda found: found[0] if unquote(found[1]) in places else found[2], text
    )


def broken(folder: Path) -> list[str]:
    """Links between the pages of a folder that lead to no file, or to no place in it."""
    code = re.compile(r"(?s)<(script|pre)\b.*?</\1>")
    texts = {file: code.sub("", file.read_text(encoding="utf-8")) for file in sorted(folder.rglob("*.html"))}
    places = {file: set(re.findall(r'\bid="([^"]*)"', text)) for file, text in texts.items()}
    found = []
    for file, text in texts.items():
        for link in re.findall(r'\bhref="([^"]*)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, place = link.partition("#")
            target = (file.parent / unquote(path)).resolve() if path else file
            if target not in texts or (place and unquote(place) not in places[target]):
                found.append(f"{file.relative_to(folder)}: {link}")
    return found


def main(argv: list[str] | None = None) -> int:
    """Write everything; 1 if a link is broken."""
    parser = argparse.ArgumentParser(prog="python .ci/docs", description="Write the API reference and the formulary.")
    parser.add_argument("folder", nargs="?", default="site", help="where to (default: site)")
    folder = Path(parser.parse_args(argv).folder).resolve()
    reference(folder / "api")
    formulary.write(folder / "formulary")
    (folder / "index.html").write_text(page("autograd_ae", BEGIN), encoding="utf-8")
    wrong = broken(folder)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(list(folder.rglob('*.html')))} pages: {folder / 'index.html'}; {len(wrong)} links lead nowhere")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
