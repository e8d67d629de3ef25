"""The models that are taken where the configuration says `auto`: those of `hardware.profile`.

One table, from which the defaults and the documentation derive. What a user names himself wins. A
fingerprint holds the names that come of it, not the profile: one of the same names has the same
keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTO = "auto"
"""What a setting that names a model says where the profile is to."""
DEFAULT = "small"
"""The profile where none is named."""
GB = 10**9


@dataclass(frozen=True)
class Pick:
    """A model of a profile.

    what: what it is for. settings: those that name it, with their values. download: bytes.
    memory: of the video memory, in bytes, estimated: the weights, eight answers at once of usual
    length, and what the engine computes in. speed: beside the model of the smallest profile.
    """

    what: str
    settings: Mapping[str, str]
    download: float
    memory: float
    speed: str


@dataclass(frozen=True)
class Profile:
    """memory: what the GPU has, in GiB as its maker counts. models: one of them is loaded at a
    time."""

    memory: int
    models: tuple[Pick, ...]

    @property
    def needs(self) -> float:
        """The video memory for the largest of its models, in bytes."""
        return max(model.memory for model in self.models)


def _speech(name: str, download: float, memory: float, speed: str) -> Pick:
    return Pick("speech", {"transcription.model": name}, download * GB, memory * GB, speed)


def _vision(
    repo_id: str, model: str, mmproj: str, download: float, memory: float, speed: str
) -> Pick:
    settings = {
        "description.repo_id": repo_id,
        "description.model": model,
        "description.mmproj": mmproj,
    }
    return Pick("pictures", settings, download * GB, memory * GB, speed)


def _text(repo_id: str, model: str, download: float, memory: float, speed: str) -> Pick:
    settings = {"text_model.repo_id": repo_id, "text_model.model": model}
    return Pick("text", settings, download * GB, memory * GB, speed)


PROFILES = {
    "small": Profile(
        8,
        (
            _speech("small", 0.5, 2, "the same"),
            _vision(
                "ggml-org/Qwen2.5-VL-3B-Instruct-GGUF",
                "Qwen2.5-VL-3B-Instruct-Q4_K_M.gguf",
                "mmproj-Qwen2.5-VL-3B-Instruct-Q8_0.gguf",
                *(2.8, 5, "the same"),
            ),
            _text(
                "unsloth/Qwen3-4B-Instruct-2507-GGUF",
                "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
                *(2.5, 5, "the same"),
            ),
        ),
    ),
    "medium": Profile(
        16,
        (
            _speech("large-v3-turbo", 1.6, 3, "twice"),
            _vision(
                "ggml-org/Qwen2.5-VL-7B-Instruct-GGUF",
                "Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf",
                "mmproj-Qwen2.5-VL-7B-Instruct-Q8_0.gguf",
                *(5.5, 8, "half"),
            ),
            _text("unsloth/Qwen3-14B-GGUF", "Qwen3-14B-Q4_K_M.gguf", *(9.0, 12, "a third")),
        ),
    ),
    # Of the 30 billion parameters a token takes 3: large, and as fast as a small one.
    "large": Profile(
        24,
        (
            _speech("large-v3", 3.1, 5, "a quarter"),
            _vision(
                "Qwen/Qwen3-VL-30B-A3B-Instruct-GGUF",
                "Qwen3VL-30B-A3B-Instruct-Q4_K_M.gguf",
                "mmproj-Qwen3VL-30B-A3B-Instruct-Q8_0.gguf",
                *(19.3, 22, "the same"),
            ),
            _text(
                "unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF",
                "Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf",
                *(18.6, 21, "the same"),
            ),
        ),
    ),
}
"""From the smallest to the largest, each of the models of the one before, or better ones."""


def resolve(config: dict[str, Any]) -> None:
    """Put the names of the profile's models where a configuration says `auto`."""
    for model in PROFILES[config["hardware"]["profile"] or DEFAULT].models:
        for setting, name in model.settings.items():
            section, key = setting.split(".")
            if config[section][key] == AUTO:
                config[section][key] = name


def fitting(memory: float) -> str | None:
    """The largest profile whose models fit into so many bytes of video memory; None: none does."""
    return next((name for name in reversed(PROFILES) if PROFILES[name].needs <= memory), None)


def pick(config: Mapping[str, Any], section: str) -> Pick | None:
    """The model of a section of a configuration that is resolved, as the table has it; None: it is
    another one."""
    for profile in PROFILES.values():
        for model in profile.models:
            named = [setting.split(".") for setting in model.settings]
            names = [config[section][key] for name, key in named if name == section]
            if names and names == list(model.settings.values()):
                return model
    return None
