"""Slow and rude clients: the others are served, and they are let go."""

import contextlib
import socket
import threading
import time

import pytest

from reelmake.catalog.by_meaning import Rankers
from reelmake.server import patient_protocol, serving


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def is_let_go(client, every=b""):
    """Whether the server ends the connection; every: what is sent meanwhile, again and again."""
    end = time.monotonic() + 20
    client.settimeout(0.05)
    while time.monotonic() < end:
        try:
            client.sendall(every)
            if not every:
                time.sleep(0.05)
                client.getpeername()
                client.sendall(b" ")  # a connection that was reset says so
            elif client.recv(1000) == b"":
                return True
        except TimeoutError:
            pass
        except OSError:
            return True
    return False


@pytest.fixture
def hasty(folder, monkeypatch):
    """The port of a server that waits a second at most."""
    monkeypatch.setattr(patient_protocol, "REQUEST", 0.6)
    monkeypatch.setattr(patient_protocol, "STALLED", 0.6)
    listening = serving.bind("127.0.0.1", 0)
    server = serving.server(folder / "results", listening, dict, lambda text: Rankers([], []))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def test_many_who_say_nothing_stop_nobody(site):
    with contextlib.ExitStack() as closing:
        for _ in range(150):
            idle = closing.enter_context(connect(site.port))
            idle.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(20):  # who ask for a film and take nothing of it
            reader = closing.enter_context(connect(site.port))
            reader.sendall(b"GET /media/holiday/source HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert site.ask("/film/holiday").status == 200


def test_who_comes_takes_the_place_of_one_who_says_nothing(site):
    with contextlib.ExitStack() as closing:
        for _ in range(patient_protocol.CONNECTIONS + 50):
            closing.enter_context(connect(site.port)).sendall(b"GET / HTTP/1.1\r\n")
        assert site.ask("/film/holiday").status == 200


def test_who_sends_a_request_byte_by_byte_is_let_go(hasty):
    with connect(hasty) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert is_let_go(slow, every=b"a")
    with connect(hasty) as silent:
        silent.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert silent.recv(1) == b""


def test_who_takes_nothing_of_an_answer_is_let_go(hasty, folder):
    film = folder / "results" / "large" / "trailer.mp4"
    assert film.exists()
    with connect(hasty) as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.sendall(b"GET /media/large/trailer.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert is_let_go(greedy)


@pytest.mark.parametrize(
    "request_",
    [b"\x00\xff\xfe", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"a" * 70000, b"GET / HTTP/1.1\r\n\r\n",
     b"GET http://a\xff/ HTTP/1.1\r\nHost: a\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_request_is_refused(site, request_):
    with connect(site.port) as rude:
        rude.sendall(request_)
        rude.shutdown(socket.SHUT_WR)
        answer = rude.recv(100)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 421", b"")
    assert site.ask("/health").status == 200
