"""What is known of files on the Hugging Face hub, without downloading any."""

import contextlib
from collections.abc import Callable
from pathlib import Path

TIMEOUT = 5.0
"""Seconds that the hub has for an answer."""


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
