"""`reel models`: download the models that the configuration names."""

from typing import Any

from reelmake.foundation.text import printable
from reelmake.models import needed_models
from reelmake.reel.options import Arguments, add_command, read_config


def add_to(commands: Any) -> None:
    """Add the subcommand."""
    add_command(
        commands,
        "models",
        _models,
        "download the models that the configuration names, once; what is here stays, and is "
        "compared with the digest that the hub has of it",
        "  reel models\n  reel models --config 'transcription={model: large-v3-turbo}'",
        json=False,
    )


def _models(arguments: Arguments) -> int:
    models = needed_models.needed(read_config(arguments))
    needed_models.download_all(models, lambda line: print(printable(line), flush=True))
    return 0
