"""Addresses: what of them is shown, and what they are called."""

import pytest

from reelmake.foundation import urls
from reelmake.foundation.errors import UserError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.org/film.mp4", "https://a.org/film.mp4"),
        ("https://a.org/film.mp4?token=secret", "https://a.org/film.mp4?…"),
        ("https://a.org/film.mp4#secret", "https://a.org/film.mp4?…"),
        ("https://me:secret@a.org/film.mp4", "https://a.org/film.mp4"),
        ("https://me:sec@ret@a.org/film.mp4", "https://a.org/film.mp4"),
        ("HTTP://me@a.org", "HTTP://a.org"),
        ("cannot open 'http://a.org/x?secret=1' twice", "cannot open 'http://a.org/x?…' twice"),
        (
            "http://a.org/x?secret and http://b.org/y?secret",
            "http://a.org/x?… and http://b.org/y?…",
        ),
        ("why? #1", "why? #1"),
    ],
)
def test_what_may_be_secret_is_not_shown(text, shown):
    assert urls.shown(text) == shown


def test_a_tools_words_lose_the_secrets_without_the_address():
    url = "https://me:pass%40word@a.org/film.mp4?id=7&token=s%2Fcret#t=10"
    text = "[generic] film.mp4?id=7&token=s/cret: 's%2Fcret' pass@word t=10"
    cleaned = urls.without_secrets(text, url)
    assert "cret" not in cleaned
    assert "word" not in cleaned
    assert "film.mp4" in cleaned


def test_the_name_is_the_end_of_the_path_or_the_server():
    assert urls.name("https://a.org/my/film%20one.mp4?b=/c.mp4") == "film one.mp4"
    assert urls.name("https://a.org/films/") == "films"
    assert urls.name("https://me:secret@a.org:8080/?v=1") == "a.org:8080"


@pytest.mark.parametrize("source", ["/films/http://x", "a.mp4", "ftp://a.org/b.mp4", "file:///a"])
def test_what_is_no_url(source):
    assert not urls.is_url(source)


@pytest.mark.parametrize("url", ["http://", "http:///a.mp4", "http://[a/b", "http://a.org:x/b"])
def test_an_address_that_cannot_be_asked_is_refused(url):
    assert urls.is_url(url)
    with pytest.raises(UserError, match="no right address"):
        urls.check(url)
    with pytest.raises(UserError, match="no right address"):
        urls.check("http://a.org/a\nb.mp4")
