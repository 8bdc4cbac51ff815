"""Documents are balanced, escape words, and compile where a TeX is installed."""

import shutil
import subprocess

import pytest

from autograd_ae.explain.latex_document import check, document, text

BODY = r"""Words with \(W_1^\top X\).
\[ \bar{x} = \bar{y} \odot \sigma(x) \odot \sigma(-x) \]
\begin{align*} H &= \sigma(X W_1 + b_1) \\ L &= \lVert \hat{X} - X \rVert^2 / B \end{align*}
\begin{longtable}{rll} \toprule no & symbol & value \\ \midrule 1 & \(W_1\) & 0.15 \\ \bottomrule \end{longtable}"""
WORDS = "100 % of <W_1> & {b} # $ ~ ^ \\ | σ² ≤ ∞ ‖x‖ ᵀ ½ ∇ −1"


def test_every_formula_of_a_document_is_checked():
    check(document(BODY, WORDS))
    for broken in (
        r"\(\foo\)",
        r"$x_1_2$",
        r"$$\frac{1}$$",
        r"\[ \left( x \]",
        r"\begin{align} a & \nonsense \end{align}",
    ):
        with pytest.raises(ValueError, match="does not parse"):
            check(f"words {broken} words")


def test_a_bare_formula_is_checked_too():
    check(r"\bar{x} = \bar{y} / \cosh^2 x")
    with pytest.raises(ValueError, match="opening brace"):
        check(r"\frac{1}{2")


def test_numbers_and_labels_of_equations_are_not_formulas():
    check(r"\begin{equation} x = 1 \label{one} \tag{1} \end{equation} costs 5\$ or 6\$")


def test_an_unbalanced_body_is_refused_before_it_reaches_tex():
    with pytest.raises(ValueError, match=r"'T' would not compile.*\\begin\{longtable\} without"):
        document(r"\begin{longtable}{ll} a & b", "T")
    with pytest.raises(TypeError, match="title is a string"):
        document("x", 1)


def test_special_signs_of_words_are_escaped():
    assert text("a_b & 5%") == r"a\_b \& 5\%"
    assert text("{~^\\}") == r"\{\textasciitilde{}\textasciicircum{}\textbackslash{}\}"
    assert text("σ") == r"\ensuremath{\sigma}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_document_compiles(tmp_path):
    (tmp_path / "d.tex").write_text(document(text(WORDS) + BODY, WORDS), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
