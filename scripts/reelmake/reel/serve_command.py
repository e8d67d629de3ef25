"""`reel serve`: the pages of all films from a server, with search and the state of a run."""

from pathlib import Path
from typing import Any

from reelmake.foundation.errors import UserError
from reelmake.library.library import RESULTS
from reelmake.reel.options import (
    Arguments,
    add_command,
    read_config,
    require_results,
    say,
)

HOST, PORT = "127.0.0.1", 8765


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    parser = add_command(
        commands,
        "serve",
        _serve,
        "show the library in a browser: search what is said, seen and written, watch a run",
        "  reel serve\n"
        "  reel serve --open --port 9000\n"
        "  openssl rand -hex 32 > token && chmod 600 token\n"
        "  reel serve --host 0.0.0.0 --token-file token\n"
        "  reel serve --token-file token --name films.example.org   # behind a reverse proxy\n"
        "Only this machine can ask, unless --host says otherwise. /metrics is for Prometheus,\n"
        "/health for whatever watches it. Ctrl+C ends.",
        json=False,
    )
    parser.add_argument(
        "--host", default=HOST, help=f"the address to listen on (default: {HOST}, this machine)"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"(default: {PORT})")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="ask for the token in this file; needed where other machines can ask",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that browsers ask for, as behind a reverse proxy; may be repeated",
    )
    parser.add_argument("--open", action="store_true", help="open it in a browser")


def _serve(arguments: Arguments) -> int:
    from reelmake.catalog import by_meaning, updating
    from reelmake.catalog.query_vectors import QueryModels
    from reelmake.library.library_scan import Scan
    from reelmake.reel import status
    from reelmake.server import access, serving

    require_results(RESULTS)
    if not access.is_loopback(arguments.host) and arguments.token_file is None:
        raise UserError(
            f"--host {arguments.host}: other machines can ask there, so it needs a --token-file; "
            "`openssl rand -hex 32 > token && chmod 600 token` makes one"
        )
    token = access.read_token(arguments.token_file, say) if arguments.token_file else None
    config, models = read_config(arguments), QueryModels()
    updating.try_update(RESULTS, say, match=config["speakers"]["match"])
    looked = Scan(RESULTS)
    listening = serving.bind(arguments.host, arguments.port)
    where = serving.address(listening)
    say(f"{where} (Ctrl+C ends)")
    if arguments.open:
        import webbrowser

        webbrowser.open(where)
    server = serving.server(
        RESULTS.absolute(),
        listening,
        lambda: status.status(looked.look()),
        lambda text: by_meaning.rankers(RESULTS, config, text, models),
        token,
        arguments.name,
    )
    server.run(sockets=[listening])
    return 0
