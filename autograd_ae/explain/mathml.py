r"""LaTeX formulas as MathML, which browsers draw without a script and without a network.

The parser is latex2mathml, in pure Python. Three things are added to it, all found by looking at browsers:

* **It forgives too much.** `x}`, `\frac{1}` and an unknown `\foo` come through as wrong formulas. Here they are errors.
* **MathML Core** (what browsers implement; W3C, "MathML Core", 2023) dropped attributes that latex2mathml writes:
  `columnalign` becomes a style, bold letters become Unicode's mathematical alphabets.
* **Spacing.** A named function (`sign`, `softplus`) is an identifier with a thin space before its argument, as in
  TeX (Knuth, The TeXbook, ch. 18), not an operator with space on both sides; bars are told left from right, since
  `|` between two letters would get the space of an infix operator.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_FENCES = {r"\lvert": ("\ue000", "prefix", "|"), r"\rvert": ("\ue001", "postfix", "|"),
           r"\lVert": ("\ue002", "prefix", "‖"), r"\rVert": ("\ue003", "postfix", "‖")}  # fmt: skip
_FENCE_OF = {private: (form, bar) for private, form, bar in _FENCES.values()}
_CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "mroot": 2, "msubsup": 3, "munderover": 3}
_SCRIPTS = ("msub", "msup", "msubsup", "munder", "mover", "munderover")
_OPERANDS = ("mi", "mn", "mfrac", "msqrt")
_LIMITS = {"max", "min", "sup", "inf", "lim", "argmin", "argmax"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}]*)\}")
_NAMED = re.compile(r"\\operatorname\s*\{([A-Za-z][A-Za-z0-9 ]*)\}")
_FIRST_NAME = 0xE100
_TEXT = re.compile(r"\\(?:text|textrm|textit|textbf|mbox)\s*\{([^{}]*)\}")


def mathml(latex: str, display: bool = False) -> str:
    r"""One formula as a `<math>` element: well-formed XML, also valid in HTML.

    Parameters
    ----------
    latex : a formula in LaTeX's math mode, without dollars.
    display : a block of its own with limits above and below, instead of inline.

    Raises
    ------
    ValueError : the formula does not parse; the message holds the formula and what is wrong.

    >>> mathml(r"x^2")
    '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """  # noqa: E501
    if not isinstance(latex, str):
        raise TypeError(f"a formula is a string of LaTeX, {type(latex).__name__} arrived")
    return _converted(latex, "block" if display else "inline")


@lru_cache(maxsize=4096)
def _converted(latex: str, display: Any) -> str:
    try:
        refuse_unbalanced(latex)
        tree = _parsed(latex, display)
        _refuse_incomplete(tree)
    except ValueError as error:
        raise ValueError(f"the formula {latex!r} does not parse as LaTeX: {error}") from None
    _for_browsers(tree)
    tree.set("xmlns", _NAMESPACE)
    tree.attrib = {"xmlns": _NAMESPACE, "display": display}
    return ElementTree.tostring(tree, encoding="unicode")


def refuse_unbalanced(latex: str) -> None:
    """Raise ValueError where braces or environments are not closed in the order in which they were opened."""
    _refuse_braces(latex)
    opened: list[str] = []
    for kind, name in _ENVIRONMENT.findall(latex):
        if kind == "begin":
            opened.append(name)
        elif not opened:
            raise ValueError(rf"\end{{{name}}} without \begin{{{name}}}")
        elif (last := opened.pop()) != name:
            raise ValueError(rf"\begin{{{last}}} is closed by \end{{{name}}}")
    if opened:
        raise ValueError(rf"\begin{{{opened[-1]}}} without \end{{{opened[-1]}}}")


def _refuse_braces(latex: str) -> None:
    depth = 0
    for token in re.findall(r"\\.|[{}]", latex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            raise ValueError("a closing brace without an opening one")
    if depth:
        raise ValueError("an opening brace without a closing one")


def _parsed(latex: str, display: Any) -> ElementTree.Element:
    """The tree of latex2mathml, which knows no `aligned`, no escapes inside `\\text` and only one kind of bar."""
    from latex2mathml.converter import convert

    if not latex.strip():
        raise ValueError("it is empty")
    source = latex.replace("{aligned}", "{split}")
    for command, (private, _, _) in _FENCES.items():
        source = re.sub(rf"(?<!\\left)(?<!\\right){re.escape(command)}(?![A-Za-z])", f" {private} ", source)
    source = _TEXT.sub(lambda found: _protected(found[0]), source)
    names: list[str] = []
    source = _NAMED.sub(lambda found: _put_aside(found[1], names), source)
    try:
        written = convert(source, display=display)
    except Exception as error:  # its own exceptions share no base, and odd input raises IndexError
        raise ValueError(_reason(error)) from None
    try:
        tree = ElementTree.fromstring(re.sub(' xmlns="[^"]*"', "", written, count=1))
    except ElementTree.ParseError:
        raise ValueError(r"an & outside a table (write \& for the sign)") from None
    _put_back(tree, names)
    return tree


def _put_aside(name: str, names: list[str]) -> str:
    """One private character for a whole name, which latex2mathml would take apart where it holds a digit."""
    names.append(name.strip())
    return f" {chr(_FIRST_NAME + len(names) - 1)} "


def _put_back(tree: ElementTree.Element, names: list[str]) -> None:
    for element in tree.iter():
        if element.text and 0 <= (k := ord(element.text[0]) - _FIRST_NAME) < len(names):
            element.tag, element.text = "mo", names[k]


_PRIVATE = {"<": "\ue010", ">": "\ue011", "&": "\ue012", "_": "\ue013", "#": "\ue014", "%": "\ue015", "$": "\ue016"}
_PLAIN = {private: sign for sign, private in _PRIVATE.items()} | {"\ue017": "{", "\ue018": "}"}


def _protected(text: str) -> str:
    """Words with their special signs, escaped or not, as private characters."""
    text = re.sub(r"\\([&_#%$])", lambda found: _PRIVATE[found[1]], text)
    return re.sub("[<>&]", lambda found: _PRIVATE[found[0]], text)


def _reason(error: Exception) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
    return str(error) or words


def _refuse_incomplete(tree: ElementTree.Element) -> None:
    for element in tree.iter():
        needed = _CHILDREN.get(element.tag)
        if needed is not None and len(element) != needed:
            raise ValueError(f"an argument of a fraction, accent or index is missing ({element.tag})")
        if (element.text or "").startswith("\\") and element.tag != "mtext":
            raise ValueError(f"unknown command {element.text}")


# What browsers need.


def _for_browsers(tree: ElementTree.Element) -> None:
    for element in tree.iter():
        _name_functions(element)
        _plain_bold(element)
        _fence(element)
        _pair_bars(element)
        _align(element)
        _unprotect(element)
        _rule(element)
        if element.tag == "mover" and len(element[1]) == 0 and element[1].tag == "mo":
            element[1].set("stretchy", "true" if _width(element[0]) > 1 else "false")
            element.set("accent", "true")
    for element in tree.iter():
        _space_functions(element)


def _name_functions(element: ElementTree.Element) -> None:
    """`softplus` is an identifier; `max` stays an operator, for its limits, without space around."""
    if element.tag == "mo" and re.fullmatch("[A-Za-z][A-Za-z0-9 ]*", element.text or ""):
        if element.text in _LIMITS:
            element.attrib.update(lspace="0", rspace="0", movablelimits="true")
        else:
            element.tag, element.attrib = "mi", {}
    elif element.text == ":" and element.tag == "mi":
        element.tag = "mo"
    elif element.text == "/":
        element.attrib.update(lspace="0.05em", rspace="0.05em")
    if element.tag in ("msub", "msubsup") and element[0].text in _LIMITS:
        element.tag = {"msub": "munder", "msubsup": "munderover"}[element.tag]


def _base(element: ElementTree.Element) -> ElementTree.Element:
    """What an index, an accent or a pair of braces stands on."""
    while element.tag in _SCRIPTS or (element.tag == "mrow" and len(element) == 1):
        element = element[0]
    return element


def _function(element: ElementTree.Element) -> bool:
    base = _base(element)
    return base.tag in ("mi", "mo") and len(base.text or "") > 1 and (base.text or "").isalnum()


def _space_functions(row: ElementTree.Element) -> None:
    """A thin space between a function's name and what stands beside it without a bracket."""
    if row.tag not in ("mrow", "math", "mtd", "mstyle"):
        return
    for k in range(len(row) - 1, 0, -1):
        before, after = _base(row[k - 1]), _base(row[k])
        opens = after.tag in _OPERANDS or after.get("form") == "prefix"
        closes = before.tag in _OPERANDS or before.get("form") == "postfix"
        if (_function(row[k - 1]) and opens and after.text != "(") or (_function(row[k]) and closes):
            row.insert(k, ElementTree.Element("mspace", width="0.167em"))


def _fence(element: ElementTree.Element) -> None:
    if element.text in _FENCE_OF:
        form, bar = _FENCE_OF[element.text]
        element.tag, element.text = "mo", bar
        element.attrib = {"form": form, "fence": "true", "stretchy": "false"}


def _pair_bars(row: ElementTree.Element) -> None:
    """`|x|` written with plain bars: the odd ones open, the even ones close; a lone bar is a relation."""
    bars = [part for part in row if part.text == "|" and not part.get("form")]
    if len(bars) % 2 == 0:
        for k, bar in enumerate(bars):
            bar.tag, bar.attrib = "mo", {"form": ("prefix", "postfix")[k % 2], "fence": "true", "stretchy": "false"}


def _rule(element: ElementTree.Element) -> None:
    r"""`\bar`, `\overline`, `\underline` as borders: few fonts have a bar that grows, and browsers that put accents at
    the height of an x draw that of Latin Modern through capital letters."""
    if element.tag in ("mover", "munder") and element[1].text in ("\u2015", "\u00af"):
        side = {"mover": "top", "munder": "bottom"}[element.tag]
        element.remove(element[1])
        element.tag, element.attrib = "mrow", {"style": f"border-{side}:0.06em solid;padding-{side}:0.12em"}


def _plain_bold(element: ElementTree.Element) -> None:
    """Bold as characters: browsers honour no mathvariant but `normal`."""
    style = {"bold": "BOLD", "bold-italic": "BOLD ITALIC"}.get(element.get("mathvariant", ""))
    if style is None:
        return
    del element.attrib["mathvariant"]
    element.text = "".join(_bold(character, style) for character in element.text or "")


def _bold(character: str, style: str) -> str:
    name = unicodedata.name(character, "").replace("GREEK ", "").replace("LATIN ", "").replace(" LETTER", "")
    if name.startswith("DIGIT"):
        style = "BOLD"
    try:
        return unicodedata.lookup(f"MATHEMATICAL {style} {name.replace('CAPITAL LETTER', 'CAPITAL')}")
    except KeyError:
        return character


def _align(element: ElementTree.Element) -> None:
    side = element.attrib.pop("columnalign", None)
    if element.tag == "mtd" and side in ("left", "right"):
        element.set("style", f"text-align:{side}" + (";padding-right:0" if side == "right" else ""))
        if len(element) and element[0].tag == "mi" and not element[0].text:
            element.set("style", "text-align:left;padding-left:0")


def _unprotect(element: ElementTree.Element) -> None:
    if element.text and any(private in element.text for private in _PLAIN):
        element.text = "".join(_PLAIN.get(character, character) for character in element.text)


def _width(element: ElementTree.Element) -> int:
    return sum(len((part.text or "").strip()) for part in element.iter())
