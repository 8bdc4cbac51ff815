"""Every formula of the ops becomes well-formed MathML that browsers draw as LaTeX would; wrong LaTeX is refused."""

import importlib
import pkgutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import autograd_ae.ops
from autograd_ae.core.op import Op
from autograd_ae.explain.mathml import mathml

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def formulas():
    """(where, LaTeX) of each op, pullback and delta in `ops`."""
    importlib.import_module("autograd_ae.ops.api")
    found = {}
    for module in pkgutil.iter_modules(autograd_ae.ops.__path__):
        for value in vars(importlib.import_module(f"autograd_ae.ops.{module.name}")).values():
            for op in [value, *(value.values() if isinstance(value, dict) else ())]:
                if isinstance(op, Op):
                    found[op.name, "y"] = op.latex
                    rules = [*op.pullbacks, op.delta]
                    found |= {(op.name, k): rule.latex for k, rule in enumerate(rules) if rule is not None}
    return found


def tags(latex, **options):
    return [element.tag.removeprefix(MATHML) for element in ElementTree.fromstring(mathml(latex, **options)).iter()]


def text(latex):
    return "".join(ElementTree.fromstring(mathml(latex)).itertext())


def test_every_formula_of_the_ops_is_well_formed_with_no_command_left_over():
    found = formulas()
    assert len(found) > 180
    for where, latex in found.items():
        for display in (False, True):
            root = ElementTree.fromstring(mathml(latex, display))
            assert root.tag == f"{MATHML}math", where
            assert root.get("display") == ("block" if display else "inline")
            written = "".join(root.itertext())
            assert "\\" not in written, (where, written)
            assert not any(0xE000 <= ord(sign) < 0xF900 for sign in written), (where, written)


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("", "empty"),
        ("{x", "opening brace"),
        ("x}", "closing brace"),
        (r"\frac{1}", "missing"),
        ("x^", "super script"),
        ("x_1_2", "double subscripts"),
        (r"\left( x", "left"),
        (r"\foo x", r"unknown command \\foo"),
        ("a & b", "outside a table"),
        (r"\begin{cases} x", r"\\begin\{cases\} without"),
        (r"\begin{cases} x \end{matrix}", r"\\begin\{cases\} is closed by \\end\{matrix\}"),
        (r"x \end{matrix}", r"without \\begin"),
        (r"\sqrt", "."),
    ],
)
def test_a_formula_that_does_not_parse_is_named_in_the_error(latex, message):
    with pytest.raises(ValueError, match=message) as caught:
        mathml(latex)
    assert repr(latex) in str(caught.value)


def test_only_strings_are_formulas():
    with pytest.raises(TypeError, match="int arrived"):
        mathml(3)


def test_limits_stand_below_the_sign_in_a_display_and_beside_it_in_a_line():
    assert "munderover" in tags(r"\sum_{i=1}^n x_i", display=True)
    assert "msubsup" in tags(r"\sum_{i=1}^n x_i")
    root = ElementTree.fromstring(mathml(r"\max_i x_i", display=True))
    assert root.find(f".//{MATHML}munder/{MATHML}mo").get("movablelimits") == "true"


def test_a_function_is_an_upright_identifier_with_a_thin_space_before_a_bare_argument_only():
    assert tags(r"\operatorname{sign} x") == ["math", "mrow", "mi", "mspace", "mi"]
    assert "mspace" not in tags(r"\operatorname{softplus}(x)")
    assert "mspace" in tags(r"\bar{y} \ln x")
    names = [e.text for e in ElementTree.fromstring(mathml(r"\operatorname{arctan2}(y, x)")).iter(f"{MATHML}mi")]
    assert names == ["arctan2", "y", "x"]


def test_a_bar_stands_clear_of_a_capital_letter_in_every_font():
    assert "border-top" in mathml(r"\bar{W}_1")
    assert "mover" in tags(r"\bar{\hat{X}}")
    assert "mover" not in tags(r"\bar{X}")


def test_bars_open_and_close_and_a_lone_bar_is_a_relation():
    def forms(latex):
        return [e.get("form") for e in ElementTree.fromstring(mathml(latex)).iter(f"{MATHML}mo") if e.text in "|‖"]

    assert forms(r"\lvert x \rvert + \lVert x \rVert^2") == ["prefix", "postfix"] * 2
    assert forms("|x| = |y|") == ["prefix", "postfix"] * 2
    assert forms("p | q") == [None]


def test_signs_inside_text_are_kept_and_escaped():
    assert text(r"\text{a < b \& c\_d}").replace("\u00a0", " ") == "a < b & c_d"
    assert "&lt;" in mathml(r"\text{a < b}")


def test_bold_letters_are_characters_since_browsers_know_no_bold_attribute():
    assert text(r"\mathbf{W} \mathbf{1} \boldsymbol{\mu}") == "𝐖𝟏𝝁"
    assert "mathvariant" not in mathml(r"\mathbf{1}")


def test_alignment_is_a_style_since_browsers_know_no_columnalign():
    for latex in (
        r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}",
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    ):
        written = mathml(latex)
        assert "columnalign" not in written
        assert "text-align:left" in written


def test_importing_the_package_does_not_load_the_parser():
    code = "import sys, autograd_ae.explain.mathml; sys.exit('latex2mathml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
