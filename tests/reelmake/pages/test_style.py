"""The stylesheet: text can be read on what it stands on (WCAG 2: 4.5 to 1), light and dark."""

import re

import pytest

from reelmake.pages import rendering

STYLE = (rendering.ASSETS / "style.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    for part in STYLE.split("@media (prefers-color-scheme: dark)", 1)
)
TEXT = [
    *(("text", ground) for ground in ("bg", "panel", "raised", "soft")),
    *(("muted", ground) for ground in ("bg", "panel", "raised", "soft", "bad-soft")),
    *(("accent", ground) for ground in ("bg", "panel", "soft")),
    *(("bad", ground) for ground in ("bg", "panel", "bad-soft")),
    ("on-accent", "accent"),
    ("on-mark", "mark"),
]


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(colors):
    for text, ground in TEXT:
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    for ground in ("bg", "panel"):  # borders of fields: 3 to 1
        assert contrast(colors["edge"], colors[ground]) >= 3, ground


def test_nothing_is_fetched_from_elsewhere():
    assert "@import" not in STYLE
    assert "url(" not in STYLE
    for path in (*rendering.ASSETS.iterdir(), *rendering.TEMPLATES.iterdir()):
        without = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//[a-z]", re.sub(r"^\s*//.*", "", without, flags=re.M)), (
            path
        )
