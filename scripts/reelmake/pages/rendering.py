"""Templates and what they show of untrusted text: everything is escaped, nothing steers."""

import functools
import hashlib
import re
from pathlib import Path
from typing import Any

from reelmake.foundation.units import show_bytes

HERE = Path(__file__).resolve().parent
ASSETS = HERE / "assets"
TEMPLATES = HERE / "templates"

_STEERING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufff9-\ufffb]")


def render(template: str, **context: Any) -> str:
    """A page. template: the name of its file. Values are escaped, whatever they are."""
    return str(_environment().get_template(template).render(**context))


def shown(value: Any) -> str:
    """Text from a file, a model or a person as a page shows it: without what turns the direction
    of the text beside it, and without control characters."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("\ufffd", _STEERING.sub("", text))


def reason(error: Any, video: str, stage: str) -> Any:
    """Why a job failed, without the film and the stage that a page names beside it."""
    return error.removeprefix(f"{video}: {stage}: ") if isinstance(error, str) else error


def clock(seconds: Any) -> str:
    """Seconds as people write them: 0:07, 12:34, 1:02:03."""
    if not isinstance(seconds, int | float):
        return "–"
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(seconds: Any) -> str:
    """Seconds for a script or an address: no exponent, no more than milliseconds."""
    found = seconds if isinstance(seconds, int | float) else 0.0
    return f"{found:.3f}".rstrip("0").rstrip(".")


def iso_duration(seconds: Any) -> str:
    """Seconds as the attribute `datetime` wants them."""
    return f"PT{number(seconds)}S"


def moment(start: Any, end: Any = None) -> Any:
    """A time, or a span of time, as an element."""
    import markupsafe

    # Made of numbers alone. A macro of the template would take ten times as long, and a page has
    # hundreds.
    until = "" if end is None else f'<span class="until">–{clock(end)}</span>'
    return markupsafe.Markup(f'<time datetime="{iso_duration(start)}">{clock(start)}</time>{until}')


def jump(start: Any, end: Any = None) -> Any:
    """The attributes of a link to a moment of the film in the player."""
    import markupsafe

    at = number(start)
    until = "" if end is None else f' data-end="{number(end)}"'
    return markupsafe.Markup(f'class="jump" href="#t={at}" data-start="{at}"{until}')


@functools.cache
def version() -> str:
    """A digest of all that pages are made with: templates, style, scripts and this package."""
    digest = hashlib.sha256()
    for folder in (HERE, ASSETS, TEMPLATES):
        for path in sorted(folder.iterdir()):
            if path.suffix in (".py", ".html", ".css", ".js", ".svg"):
                digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _environment() -> Any:
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,  # of every template, whatever its name
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        # What is shown is cleaned on its way out, so that no template can forget it.
        finalize=_finalized,
    )
    found.filters |= {
        "clock": clock,
        "number": number,
        "iso_duration": iso_duration,
        "size": lambda value: show_bytes(value) if isinstance(value, int) else "–",
        "day": lambda value: str(value or "")[:10],
    }
    found.globals |= {"moment": moment, "jump": jump}
    return found


def _finalized(value: Any) -> Any:
    import markupsafe

    if value is None:
        return ""
    if type(value) is str:
        return shown(value)
    return value if isinstance(value, markupsafe.Markup | int | float) else shown(value)
