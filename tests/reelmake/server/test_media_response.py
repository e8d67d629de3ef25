"""Ranges of bytes, as RFC 9110 has them."""

import pytest

import make_pages

FILM = make_pages.FILM.read_bytes()
SIZE = len(FILM)
SOURCE = "/media/holiday/source"


def test_the_whole_film(site):
    answer = site.ask(SOURCE)
    assert (answer.status, answer.content) == (200, FILM)
    assert answer.getheader("Accept-Ranges") == "bytes"
    assert answer.getheader("Content-Type") == "video/mp4"
    head = site.ask(SOURCE, "HEAD")
    assert (head.status, head.getheader("Content-Length"), head.content) == (200, str(SIZE), b"")


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=100-199", 100, 200),
        ("bytes=-500", SIZE - 500, SIZE),
        (f"bytes=-{SIZE * 9}", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        (f"bytes=10-{SIZE * 9}", 10, SIZE),
        ("BYTES = 5-6".replace(" ", ""), 5, 7),
    ],
)
def test_a_part(site, wanted, start, end):
    answer = site.ask(SOURCE, Range=wanted)
    assert answer.status == 206
    assert answer.getheader("Content-Range") == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.content == FILM[start:end]
    head = site.ask(SOURCE, "HEAD", Range=wanted)
    assert (head.getheader("Content-Length"), head.content) == (str(end - start), b"")


def test_several_parts(site):
    answer = site.ask(SOURCE, Range=f"bytes=0-1, {SIZE * 2}-, -2")
    assert answer.status == 206
    kind, _, boundary = answer.getheader("Content-Type").partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.content.split(f"--{boundary}".encode())[1:-1]
    assert [part.split(b"\r\n\r\n", 1)[1].rstrip(b"\r\n") for part in parts] == [
        FILM[:2],
        FILM[-2:],
    ]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE * 3}-{SIZE * 4}", "bytes=-0"])
def test_beyond_the_end(site, wanted):
    answer = site.ask(SOURCE, Range=wanted)
    assert answer.status == 416
    assert answer.getheader("Content-Range") == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "wanted",
    ["items=0-5", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,x",
     "bytes=--5", "bytes=" + "9" * 400 + "-", "bytes=" + ",".join(["0-"] * 5000)[:8000]],
)  # fmt: skip
def test_what_is_no_range_is_none(site, wanted):
    answer = site.ask(SOURCE, "HEAD", Range=wanted)
    assert (answer.status, answer.getheader("Content-Length")) == (200, str(SIZE))


def test_a_part_of_another_version_is_the_whole(site):
    tag = site.ask(SOURCE, "HEAD").getheader("ETag")
    assert site.ask(SOURCE, Range="bytes=0-9", If_Range=tag).status == 206
    assert site.ask(SOURCE, "HEAD", Range="bytes=0-9", If_Range='"other"').status == 200


def test_what_a_browser_has_is_not_sent_again(site):
    tag = site.ask("/media/holiday/keyframes/scene0000_0.jpg").getheader("ETag")
    again = site.ask("/media/holiday/keyframes/scene0000_0.jpg", If_None_Match=tag)
    assert (again.status, again.content) == (304, b"")
