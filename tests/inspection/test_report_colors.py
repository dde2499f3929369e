"""A report can be read in the light and in the dark."""

import re

import pytest

from skdann._cli import _summary
from skdann.inspection._report import _render


def luminance(color):
    """Return the relative luminance of a color, by WCAG 2.1."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(*colors):
    dark, light = sorted(map(luminance, colors))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("style", [_render._STYLE, _summary._STYLE])
class TestStyle:
    def test_words_and_marks_stand_out_from_the_paper(self, style):
        light, dark = re.findall(r"{([^{}]*--skdann-ink: #[^{}]*)}", style)
        for named in (light, dark):
            colors = dict(re.findall(r"--skdann-(\w+): (#\w{6})", named))
            paper = colors["paper"]
            assert contrast(colors["ink"], paper) > 12
            assert contrast(colors["faint"], paper) > 4.5
            for mark in ("good", "doubt", "bad", "note"):
                assert contrast(colors[mark], paper) > 2.5
        assert "prefers-color-scheme: dark" in style
        assert luminance(re.search("ink: (#[^;]*)", dark)[1]) > 0.5

    def test_every_color_is_one_that_changes(self, style):
        plain = re.sub(r"--skdann-\w+: #\w+;", "", style)
        assert not re.search(r"#[0-9a-f]{3}", plain)
        used = set(re.findall(r"var\(--skdann-(\w+)\)", style))
        assert used <= set(re.findall(r"--skdann-(\w+): #", style))


def test_pictures_become_as_dark_as_the_paper():
    inverted = float(re.search(r"invert\(([\d.]+)\)", _render._STYLE)[1])
    paper = int(re.findall(r"paper: #(\w\w)", _render._STYLE)[1], 16) / 255
    assert 1 - inverted == pytest.approx(paper, abs=0.01)


def test_no_colors_that_a_notebook_gives_to_rows_show_through():
    (of_cells,) = re.findall(
        r"-report td ({[^}]*text-align: right[^}]*})", _render._STYLE
    )
    assert "color: var(--skdann-ink); background: var(--skdann-paper)" in of_cells
