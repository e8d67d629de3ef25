"""Running the server on an address."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from reelmake.foundation.errors import UserError
from reelmake.server import app, patient_protocol
from reelmake.server.access import Guard
from reelmake.server.found_moments import Meant
from reelmake.server.live_status import LiveStatus, Status

GRACE = 4
"""Seconds that answers may still take after Ctrl+C."""
LONGEST_HEADERS = 16 * 1024
"""Bytes of a request's first line and headers."""


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there. port: 0: any that is free. Raises UserError."""
    if not 0 <= port <= 65535:
        raise UserError(f"--port {port}: a port is a number from 1 to 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise UserError(
            f"{host}:{port}: nothing can be served there: {error.strerror or error}; "
            "choose another --port or --host"
        ) from None


def address(listening: socket.socket) -> str:
    """Where a browser finds it."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def server(
    results: Path,
    listening: socket.socket,
    look: Callable[[], Status],
    meant: Meant,
    token: str | None = None,
    names: Sequence[str] = (),
) -> uvicorn.Server:
    """The server, to be run with `run(sockets=[listening])`: until the process is told to end
    (SIGINT, SIGTERM).

    results: the folder of all films. look: gives the status as `reel status --json` prints it.
    meant: as for `found_moments.find`. token, names: as for `access.Guard`.
    """
    status = LiveStatus(look, lambda: found.should_exit)
    host = listening.getsockname()[0]
    config = uvicorn.Config(
        Guard(app.build(app.Site(results, status, meant, token)), host, token, names),
        http=patient_protocol.PatientProtocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=patient_protocol.CONNECTIONS,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
    )
    found = uvicorn.Server(config)
    return found
