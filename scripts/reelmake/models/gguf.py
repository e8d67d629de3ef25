"""Files of llama.cpp's models: where they are, and whether they are what they should be."""

from pathlib import Path

from reelmake.foundation.errors import StageError
from reelmake.models.model_files import cached


def local_file(setting: str, name: str, repo_id: str | None) -> Path:
    """The GGUF file that a model setting (`description.model`) names.

    It is here, or is downloaded once from the hub.

    Raises StageError that says what to do.
    """
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


def name(model: str | dict[str, str]) -> str:
    """The name of a model in a fingerprint, which knows one that is a file here by its content."""
    return model if isinstance(model, str) else model["name"]


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
