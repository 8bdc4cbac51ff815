"""The page is one valid document that needs neither network nor script."""

import re
from html.parser import HTMLParser

import pytest

from autograd_ae.explain.page import page


class Reader(HTMLParser):
    """Collects tags and attributes, and sees that what is opened is closed."""

    VOID = ("meta", "br", "img", "link", "input", "hr")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_closed_where_it_opens_and_loads_nothing():
    text = page("Title", "<p>body</p>", toc=[("a", "A")])
    reader = Reader(text)
    assert reader.open == []
    assert not {tag for tag, _ in reader.seen} & {"script", "link", "img", "iframe"}
    assert not re.search(r"url\(|@import|https?://|src=", text)


def test_title_and_contents_are_escaped_and_the_body_is_kept():
    text = page("<W> & b", "<p id='x'>&lt;</p>", toc=[('"x"', "<first>")])
    assert "<title>&lt;W&gt; &amp; b</title>" in text
    assert "<p id='x'>&lt;</p>" in text
    assert ("a", {"href": '#"x"'}) in Reader(text).seen
    assert "&lt;first&gt;" in text


def test_without_contents_there_is_no_empty_list():
    assert "<nav" not in page("t", "b")
    assert "<nav" not in page("t", "b", toc=[])


def contrast(a, b):
    """WCAG 2.2: (L₁ + 0.05) / (L₂ + 0.05) of the relative luminances."""

    def luminance(colour):
        shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_text_has_enough_contrast_in_light_and_in_dark():
    roots = re.findall(r":root \{([^}]*)\}", page("t", "b"))[:2]
    for colours in (dict(re.findall(r"--(\w+): (#\w{6})", root)) for root in roots):
        for ink in ("ink", "soft", "accent", "good", "bad"):
            for ground in ("paper", "tint"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def test_title_and_body_are_strings():
    with pytest.raises(TypeError, match="body is a string, int arrived"):
        page("t", 3)
    with pytest.raises(TypeError, match="title is a string, NoneType arrived"):
        page(None, "b")
