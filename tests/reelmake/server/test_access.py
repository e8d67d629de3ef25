"""Who is let in: by which name, from which site, with which token."""

import socket

import pytest

from reelmake.foundation.errors import UserError
from reelmake.reel import main
from reelmake.server import access

TOKEN = "0123456789abcdef-secret"
HTML = {"Accept": "text/html"}


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("path", ["/", "/media/holiday/source", "/films.js", "/nowhere", "/events"])
def test_another_name_is_refused(site, path):
    answer = site.ask(path, Host=f"evil.example:{site.port}")
    assert answer.status == 421
    assert b"holiday" not in answer.content


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "127.0.0.1:1"])
def test_its_own_names_are_let_in(site, host):
    assert site.ask("/health", Host=host).status == 200


@pytest.mark.parametrize("host", ["", "localhost.evil.example", "192.168.0.1", "[::2]", "a:b:c"])
def test_odd_names_are_refused(site, host):
    assert site.ask("/health", Host=host).status == 421


def test_other_sites_may_link_but_not_embed(site):
    embedded = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}
    for path in ("/films.js", "/media/holiday/source", "/events"):
        assert site.ask(path, **embedded).status == 403
    linked = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert site.ask("/", **linked).status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/film/holiday", "/nowhere", "/media/holiday/source", "/events", "/assets/page.js"],
)
def test_every_answer_has_the_headers(site, path):
    method = "HEAD" if path != "/events" else "POST"
    answer = site.ask(path, method)
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Referrer-Policy") == "no-referrer"
    assert answer.getheader("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.getheader("Access-Control-Allow-Origin") is None
    assert answer.getheader("Server") is None


def test_without_the_token_nothing_is_told(serve, folder, token_file):
    site = serve(folder, "--token-file", str(token_file))
    for path in ("/", "/films.js", "/media/holiday/source", "/metrics", "/events", "/search?q=a"):
        answer = site.ask(path)
        assert answer.status == 401, path
        assert b"holiday" not in answer.content
    assert site.ask("/health").status == 200
    for wrong in ("Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é"):
        assert site.ask("/metrics", Authorization=wrong).status == 401
    assert site.ask("/metrics", Authorization=f"Bearer {TOKEN}").status == 200
    for cookie in (f"reelmake={TOKEN}", "reelmake=", "reelmake=x", "=;;,", 'reelmake="'):
        assert site.ask("/", Cookie=cookie).status == 401

    to_login = site.ask("/film/holiday?a=1", Accept="text/html")
    assert (to_login.status, to_login.getheader("Location")) == (
        303,
        "/login?next=/film/holiday%3Fa%3D1",
    )
    assert (
        b'name="next" value="/film/holiday?a=1"' in site.ask(to_login.getheader("Location")).content
    )
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert site.ask("/login", "POST", "token=wrong", **form).status == 403
    signed_in = site.ask("/login", "POST", f"token={TOKEN}&next=/film/holiday", **form)
    assert (signed_in.status, signed_in.getheader("Location")) == (303, "/film/holiday")
    cookie = signed_in.getheader("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert site.ask("/film/holiday", Cookie=cookie.partition(";")[0]).status == 200


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "",
        "/\n/e",
    ],
)
def test_signing_in_leads_nowhere_else(address):
    assert access.local(address) == "/"


def test_another_address_needs_a_token(capsys, folder, monkeypatch):
    monkeypatch.chdir(folder)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        assert main.main(["serve", "--host", host]) == 1
        assert "needs a --token-file" in capsys.readouterr().err


def test_elsewhere_numbers_and_given_names_are_let_in(serve, folder, token_file):
    site = serve(
        folder, "--host", "0.0.0.0", "--token-file", str(token_file), "--name", "films.example"
    )
    for host in ("192.168.0.7:8765", "films.example", socket.gethostname()):
        assert site.ask("/health", Host=host).status == 200
    assert site.ask("/health", Host="evil.example").status == 421


def test_a_token_that_is_none_is_refused(tmp_path):
    told = []
    for content in ("", "short", "\n\n", "   "):
        (tmp_path / "token").write_text(content)
        with pytest.raises(UserError, match="16 characters"):
            access.read_token(tmp_path / "token", told.append)
    with pytest.raises(UserError, match="can't be read"):
        access.read_token(tmp_path / "nothing", told.append)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o644)
    assert access.read_token(tmp_path / "token", told.append) == TOKEN
    assert "chmod 600" in told[-1]
