"""Files of models: where they are, whether they are what they should be, and the Hugging Face hub.

The only module that imports huggingface_hub.
"""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from reelmake.foundation.errors import StageError

TIMEOUT = 5.0
"""Seconds that the hub has for an answer."""


def local_file(setting: str, models: Mapping[str, str], repo_id: str | None) -> Path:
    """The GGUF file that a model setting, such as `description.model`, names.

    It is here, or is downloaded once from the hub.

    Raises StageError that says what to do.
    """
    name = models[setting]
    if repo_id is None:
        return Path(name).expanduser()
    section = setting.partition(".")[0]
    from huggingface_hub import errors as hub
    from huggingface_hub import hf_hub_download

    # Looked up without a request first: a run on a machine without network is fine.
    if (here := cached(repo_id, name)) is not None:
        return here
    try:
        return Path(hf_hub_download(repo_id, name))
    except Exception as error:
        # A file that is not here, for want of a network, is an "entry not found" too.
        absent = isinstance(error, hub.EntryNotFoundError | hub.RepositoryNotFoundError)
        if absent and not isinstance(error, hub.LocalEntryNotFoundError):
            raise StageError(
                f"{name} is not in {repo_id} on the Hugging Face hub, or that is private; "
                f"check {section}.repo_id and {setting}",
                kind="engine",
            ) from error
        raise StageError(
            f"{name} of {repo_id} is not on this machine and cannot be downloaded "
            f"({type(error).__name__}); connect once to fetch it, or set {section}.repo_id: null "
            f"and {setting} to a GGUF file",
            kind="transient",
        ) from error


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
    from huggingface_hub import hf_hub_download

    with contextlib.suppress(OSError, ValueError):
        return Path(hf_hub_download(repo_id, name, local_files_only=True))
    return None


def size(repo_id: str, wanted: Callable[[str], bool]) -> int:
    """The bytes of the wanted files of a repository, by their names. Asks the hub.

    Raises OSError where it can't be asked, or has no such files.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        found = HfApi().model_info(repo_id, files_metadata=True, timeout=TIMEOUT)
    except OfflineModeIsEnabled:
        raise OSError("HF_HUB_OFFLINE is set") from None
    except HfHubHTTPError as error:
        raise OSError(f"the hub has no {repo_id}, or keeps it private") from error
    except Exception as error:
        raise OSError(f"the hub can't be reached: {type(error).__name__}") from error
    sizes = [file.size or 0 for file in found.siblings or [] if wanted(file.rfilename)]
    if not sizes:
        raise OSError(f"{repo_id} has no such file")
    return sum(sizes)
