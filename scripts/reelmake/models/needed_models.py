"""The models that a configuration names: whether they are on this machine, and downloading them.

Jobs never download: a run of hundreds of films would find out hundreds of times that it can't.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from reelmake.foundation.errors import StageError, UserError
from reelmake.foundation.units import show_bytes
from reelmake.library import config
from reelmake.library.config import Config, get, repository
from reelmake.library.stages import STAGES, chosen
from reelmake.models import embedding, model_files, speaker_models, whisper

NAMES = {
    "transcription.model": "speech model",
    "description.model": "vision model",
    "description.mmproj": "vision encoder",
    "text_model.model": "text model",
    speaker_models.SEGMENTATION: "model of turns",
    speaker_models.EMBEDDING: "model of voice prints",
    "embeddings.text_model": "embedding model of texts",
    "embeddings.image_model": "embedding model of pictures",
    "embeddings.image_text_model": "its model of queries",
}


_ASKING = {"embeddings": ("embeddings.image_text_model",)}
"""The settings that name a model which no stage needs, but who asks about what the stage made."""

_OF_SPEAKERS = (speaker_models.SEGMENTATION, speaker_models.EMBEDDING)


@dataclass(frozen=True)
class NeededModel:
    """setting: the one that names it. name: what it says. repo_id: the repository on the hub that
    has it; None: it is a file or folder here, or nobody knows where it is. files: what is needed of
    the repository, as patterns.
    """

    setting: str
    name: str
    repo_id: str | None
    files: tuple[str, ...]

    @property
    def what(self) -> str:
        """'text model'."""
        return NAMES[self.setting]

    def here(self) -> Path | None:
        """Where it is on this machine; None: nowhere. Raises StageError for what is no model."""
        if self.setting == "transcription.model":
            found = whisper.known(self.name)
            return Path(found) if found is not None else None
        if self.setting in embedding.BESIDE:
            return embedding.known(self.name, self.setting)
        if self.setting in _OF_SPEAKERS:
            return speaker_models.known(self.name, self.setting)
        if self.repo_id is not None:
            return model_files.cached(self.repo_id, self.name)
        path = config.expand(self.name)
        model_files.require(path, self.setting)
        return path

    def size(self) -> int:
        """The bytes to download. Asks the hub; raises OSError where it can't be asked."""
        if self.repo_id is None:
            raise OSError("nobody knows its repository")
        return model_files.size(self.repo_id, self.files)

    def download(self) -> None:
        """Download it, with a bar on the terminal. Raises UserError where that fails."""
        if self.repo_id is None:
            raise UserError(f"{self.name}: nobody knows its repository; check {self.setting}")
        model_files.download(self.repo_id, self.files, self.setting)

    def require_whole(self) -> None:
        """Raise UserError, and remove it, where a file of the hub's on this machine differs from
        the digest that the hub has of it."""
        here = self.here() if self.repo_id is not None else None
        if here is not None:
            for path in here.iterdir() if here.is_dir() else [here]:
                _require_whole(path)


def needed(given: Config, stages: Collection[str] | None = None) -> list[NeededModel]:
    """The models that stages need with a configuration, in the pipeline's order; without those
    that a server has.

    stages: None: those that the configuration has made.
    """
    made = chosen(given["stages"]) if stages is None else stages
    settings = dict.fromkeys(
        name
        for stage in STAGES
        if stage in made
        for name in (*STAGES[stage].models, *_ASKING.get(stage, ()))
        if not config.endpoint(given, name)
    )
    found = []
    for setting in settings:
        name = get(given, setting)
        if name is None or (setting in _ASKING["embeddings"] and not _embeds_pictures(given)):
            continue
        if setting == "transcription.model":
            found.append(NeededModel(setting, name, _speech_repository(name), whisper.FILES))
        elif setting in embedding.BESIDE:
            here = config.expand(name).is_dir() or name.count("/") != 1
            found.append(NeededModel(setting, name, None if here else name, embedding.FILES))
        elif setting in _OF_SPEAKERS:
            repo_id, file = speaker_models.hub_file(name) or (None, "")
            found.append(NeededModel(setting, name, repo_id, (file,)))
        else:
            found.append(NeededModel(setting, name, repository(given, setting), (name,)))
    return found


def _embeds_pictures(given: Config) -> bool:
    return given["embeddings"]["image_model"] is not None


def missing(given: Config, stages: Collection[str] | None = None) -> str | None:
    """A sentence for people about the models that are not on this machine; None: all are.

    stages: as for `needed`. What is wrong with a model that is here, its job says.
    """
    needing: list[str] = []
    helping: list[str] = []
    for model in needed(given, stages):
        try:
            if model.here() is None:
                names = helping if model.setting in _OF_SPEAKERS else needing
                names.append(f"{model.what} {model.name}")
        except (StageError, UserError, OSError, ValueError):
            continue
    if not needing and not helping:
        return None
    will = []
    if needing:
        will.append("a job that needs one will fail, unless the cache has its artifact")
    if helping:
        will.append("without a model of speakers, films are finished without speakers")
    return (
        f"not on this machine: {', '.join([*needing, *helping])}; {'; '.join(will)}: "
        "`reel models` downloads what is missing, once"
    )


def are_here(given: Config, stage: str) -> bool:
    """Whether no model of a stage has yet to be downloaded. What is wrong with one that is here,
    its job says."""
    for model in needed(given, [stage]):
        try:
            if model.setting in STAGES[stage].models and model.here() is None:
                return False
        except (StageError, UserError, OSError, ValueError):
            continue
    return True


def download_all(models: Collection[NeededModel], say: Callable[[str], None]) -> None:
    """Download what is not here, the sizes said first. Raises UserError."""
    wanted = []
    for model in models:
        try:
            here = model.here()
        except StageError as error:
            raise UserError(str(error)) from None
        if here is None:
            wanted.append(model)
        else:
            model.require_whole()
            say(f"{model.what}: {model.name} is here: {here}")
    if not wanted:
        return
    total = 0
    for model in wanted:
        try:
            size = model.size()
        except OSError as error:
            raise UserError(unreachable(model, str(error))) from None
        total += size
        say(f"{model.what}: {model.name} of {model.repo_id}: {show_bytes(size)} to download")
    folder = model_files.cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < total:
        raise UserError(
            f"{show_bytes(total)} are to be downloaded, and {show_bytes(free)} are free in "
            f"{folder}; make room, or set HF_HOME to a folder on another disk"
        )
    for model in wanted:
        model.download()
        model.require_whole()
        say(f"{model.what}: {model.name} is whole")


def weight(here: Path) -> int:
    """The bytes of a model on this machine, a file or a folder."""
    files = here.iterdir() if here.is_dir() else [here]
    return sum(file.stat().st_size for file in files if file.is_file())


def unreachable(model: NeededModel, why: str) -> str:
    """What to do where a model can't be downloaded, for people."""
    if model.repo_id is None:
        return f"{model.name} can't be downloaded ({why}); check {model.setting}"
    there = model_files.folder_of(model.repo_id)
    return (
        f"{model.name} of {model.repo_id} can't be downloaded ({why}); without a network, run "
        f"`reel models` on a machine that has one and copy {there} here, or copy the model and "
        f"name it in {model.setting}"
    )


def _speech_repository(name: str) -> str | None:
    try:
        return None if config.expand(name).is_dir() else whisper.repository(name)
    except (StageError, UserError):  # asked where it is, it will say so
        return None


def _require_whole(path: Path) -> None:
    """Raise UserError, and remove it, where a file differs from the digest that the hub has of it:
    its name in the hub's cache, if it is a large one."""
    blob = path.resolve()
    if not re.fullmatch("[0-9a-f]{64}", blob.name):
        return
    with blob.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != blob.name:
            blob.unlink()
            raise UserError(f"{path.name} was damaged on its way; run the command again")
