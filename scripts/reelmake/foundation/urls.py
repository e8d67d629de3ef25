"""Addresses of videos on the web, and how much of one may be shown."""

import re
from urllib.parse import unquote, urlsplit

from reelmake.foundation.errors import UserError

_URL = re.compile(r"https?://", re.IGNORECASE)


def is_url(source: str) -> bool:
    """Whether a source is an address on the web, not a path."""
    return _URL.match(source) is not None


def check(url: str) -> str:
    """`url`, if it is one that can be asked. Raises UserError."""
    try:
        parts = urlsplit(url)
        right = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or any(c.isspace() or not c.isprintable() for c in url):
        raise UserError(f"videos: {shown(url)} is no right address; copy it from the browser")
    return url


def host(url: str) -> str:
    """The server that is asked, with its port where the address names one."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def shown(text: str) -> str:
    """`text` with each address in it cut down to what no secret is in.

    Names, passwords and tokens stand before an @ and after a ? or #. What is cut off is
    shown as `?…`.
    """
    text = re.sub(r"(https?://)[^\s/?#]*@", r"\1", text, flags=re.IGNORECASE)
    return re.sub(r"(https?://[^\s?#'\"]*)[?#][^\s'\"]*", r"\1?…", text, flags=re.IGNORECASE)


def without_secrets(text: str, url: str) -> str:
    """What a tool says of `url`, less what `shown` would cut off of that or any other address."""
    text, parts = shown(text), urlsplit(url)
    values = [pair.rpartition("=")[2] or pair for pair in parts.query.split("&")]
    for secret in (parts.query, *values, parts.fragment, parts.password or ""):
        for form in (secret, unquote(secret)):
            text = text.replace(form, "…") if len(form) > 3 else text
    return text


def name(url: str) -> str:
    """What an address ends in, or its server: `film.mp4` of `https://a.org/my/film.mp4?key=1`."""
    parts = urlsplit(url)
    return unquote(parts.path.rstrip("/").rpartition("/")[2]) or host(url)
