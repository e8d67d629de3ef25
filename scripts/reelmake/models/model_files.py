"""Files of models: where they are, whether they are what they should be, and the Hugging Face hub.

The only module that imports huggingface_hub.
"""

import contextlib
import fnmatch
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from reelmake.foundation.errors import StageError, UserError
from reelmake.library import config

TIMEOUT = 5.0
"""Seconds that the hub has for an answer."""
FORGOTTEN = 3600.0
"""Seconds after which a part that nothing was written to is of a process that is gone."""


def local_file(setting: str, models: Mapping[str, str], repo_id: str | None) -> Path:
    """The GGUF file on this machine that a model setting, such as `description.model`, names.

    Nothing is downloaded. Raises StageError that says what to do.
    """
    name = models[setting]
    if repo_id is None:
        return config.expand(name)
    here = cached(repo_id, name)
    if here is None:
        raise StageError(
            f"{name} of {repo_id} is not on this machine: `reel models` downloads it, once; or "
            f"set {setting.partition('.')[0]}.repo_id: null and {setting} to a GGUF file",
            kind="engine",
        )
    return here


def download(repo_id: str, files: Collection[str], setting: str) -> list[Path]:
    """Download files of a repository on the hub, given as patterns; what there is afterwards.

    Files that are whole stay, whatever happens; a signal ends the process at once, which the hub's
    library would only do after the file in work. Raises UserError that says what to do.
    """
    from huggingface_hub import errors as hub
    from huggingface_hub import snapshot_download

    parts = folder_of(repo_id) / "blobs"
    _remove_parts(parts, older=FORGOTTEN)
    try:
        with _ended_by_signals(lambda: _remove_parts(parts, older=0.0)):
            folder = Path(snapshot_download(repo_id, allow_patterns=list(files)))
    except (hub.RepositoryNotFoundError, hub.GatedRepoError) as error:
        raise UserError(
            f"the hub has no {repo_id}, or keeps it private: log in with `hf auth login`, or check "
            f"{setting.partition('.')[0]}.repo_id and {setting}"
        ) from error
    except Exception as error:
        raise UserError(
            f"{repo_id} can't be downloaded ({type(error).__name__}: {error}); run the command "
            "again: files that are whole stay"
        ) from error
    found = [path for pattern in files for path in sorted(folder.glob(pattern))]
    if not found:
        raise UserError(f"{repo_id} has no {', '.join(files)}; check {setting}")
    return found


def folder_of(repo_id: str) -> Path:
    """Where a repository's files lie on this machine, or would."""
    return cache_folder() / f"models--{repo_id.replace('/', '--')}"


@contextlib.contextmanager
def _ended_by_signals(tidy: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl+C and SIGTERM end the process within the block; `tidy` is called before."""

    def end(number: int, frame: object) -> None:
        tidy()
        os._exit(128 + number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _remove_parts(blobs: Path, older: float) -> None:
    """Remove parts of files that nothing was written to for so many seconds: a process that was
    killed left them, and the hub's library begins anew."""
    for part in blobs.glob("*.incomplete"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime >= older:
                part.unlink()


def cache_folder() -> Path:
    """Where the hub's files lie on this machine."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def require(path: Path, setting: str) -> None:
    """Raise StageError for a file that is no model.

    llama.cpp says only "failed to load" for what these four bytes tell.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise StageError(
            f"{path}: {error.strerror or error}; check {setting}",
            kind="engine",
        ) from None
    if magic != b"GGUF":
        raise StageError(f"{path} is not a GGUF file; check {setting}", kind="engine")


def cached(repo_id: str, name: str) -> Path | None:
    """Where a file of the hub lies on this machine; None where it does not. Asks nobody."""
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(repo_id, name)
    except ValueError:  # no name of a repository, or of a file in one
        return None
    return Path(found) if isinstance(found, str) else None


def size(repo_id: str, files: Collection[str]) -> int:
    """The bytes of files of a repository, given as patterns. Asks the hub.

    Raises OSError where it can't be asked, or has no such files.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        found = HfApi().model_info(repo_id, files_metadata=True, timeout=TIMEOUT)
    except OfflineModeIsEnabled:
        raise OSError("HF_HUB_OFFLINE is set") from None
    except RepositoryNotFoundError as error:
        raise OSError(f"the hub has no {repo_id}, or keeps it private") from error
    except HfHubHTTPError as error:
        raise OSError(f"the hub answers with status {error.response.status_code}") from error
    except Exception as error:
        raise OSError(f"the hub can't be reached: {type(error).__name__}") from error
    sizes = [
        file.size or 0
        for file in found.siblings or []
        if any(fnmatch.fnmatch(file.rfilename, pattern) for pattern in files)
    ]
    if not sizes:
        raise OSError(f"{repo_id} has no such file")
    return sum(sizes)
