"""Fingerprints: what an artifact should be made from.

`results/V/fingerprints/S.json` says it for the stage S of the video V. Its key is the
SHA-256 of all it says, so two artifacts with one key are the same artifact. The settings
of a stage become its fingerprint in `compute`, and nowhere else.
"""

import functools
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypedDict, cast

from reelmake.foundation import urls
from reelmake.foundation.errors import UserError
from reelmake.library import config as configuration
from reelmake.library import sources
from reelmake.library.config import Config
from reelmake.library.reading_languages import needing_models
from reelmake.library.stages import STAGES, TARGETS, Stage, chosen, stages_of

_SHOWN = 40
"""Characters of a value that is cut off."""


class Fingerprint(TypedDict):
    """What the artifact of a stage should be made from.

    version: the stage's. settings: those that the stage uses, by dotted name. upstream: the keys
    of the stages before it. key: SHA-256 of all that, 64 hex digits.
    """

    stage: str
    version: int
    source: sources.Identity
    settings: dict[str, Any]
    upstream: dict[str, str]
    key: str


def settings(config: Config, also: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """For each stage, the settings that its artifact depends on: {dotted name: value}.

    Of the stages that the setting `stages` asks for, and of those in `also`.
    """
    names = chosen(config["stages"]) | set(also)
    return {
        stage.name: _settings(stage, config) for stage in STAGES.values() if stage.name in names
    }


def compute(
    settings: dict[str, dict[str, Any]], identity: sources.Identity
) -> dict[str, Fingerprint]:
    """The fingerprint of every stage of one video that has settings, in the table's order.

    settings: as `settings` gives them. identity: its source's. What is known of the state of a
    URL is in the fingerprint of the stage that fetches it, whose key the others have.
    """
    fetched = urls.is_url(identity["path"])
    lasting = chosen(settings["manifest"]["stages"])
    fingerprints: dict[str, Fingerprint] = {}
    for stage in stages_of(fetched):
        if stage.name not in settings:
            continue
        own = settings[stage.name]
        before = {
            name
            for name in stage.upstream
            if name in fingerprints and stage.reads(name, lasting, own.__getitem__)
        }
        if stage.name == "manifest":  # it is of what `all` makes, whatever else was asked for
            before &= lasting
        content = {
            "stage": stage.name,
            "version": stage.version,
            "source": {"path": identity["path"]} if fetched and not stage.urls else identity,
            "settings": own,
            "upstream": {
                name: fingerprints[name]["key"] for name in stage.upstream if name in before
            },
        }
        fingerprints[stage.name] = cast(Fingerprint, content | {"key": key(content)})
    return fingerprints


def key(content: dict[str, Any]) -> str:
    """64 hex digits: SHA-256 over the canonical JSON (sorted, no spaces, ASCII)."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def model_name(setting: str | dict[str, str]) -> str:
    """The name of a model by its setting in a fingerprint: of a local file the content is there."""
    return setting if isinstance(setting, str) else setting["name"]


def differences(old: Mapping[str, Any] | None, new: Fingerprint) -> list[str]:
    """What a person would say changed, or nothing where only an upstream stage did."""
    if not old:
        return ["new"]
    said = []
    if old.get("version") != new["version"]:
        said.append(f"{new['stage']}'s version {old.get('version')} -> {new['version']}")
    was, source = old.get("source") or {}, new["source"]
    if was.get("path") != source["path"]:
        there = Path(was.get("path", "")).is_file()
        said.append("source moved" + (", though the old one is still there" if there else ""))
    elif urls.is_url(source["path"]) and was != source:
        how = "may have changed, its server can't tell" if "step" in source else "changed"
        said.append(f"source {how}")
    if any(was.get(name) != source.get(name) for name in ("size", "mtime_ns")):
        said.append("source changed (its size or time)")
    before, after = old.get("settings") or {}, new["settings"]
    names = before.keys() | after.keys()
    stage = STAGES[new["stage"]]
    if _value(before, stage.endpoint, stage) != _value(after, stage.endpoint, stage):
        names -= set(stage.in_process)  # where one is asked, the other has no such settings
    for name in sorted(names):
        was_set, is_set = (_value(each, name, stage) for each in (before, after))
        if was_set != is_set:
            said.append(_difference(name, was_set, is_set))
    return said


def _difference(name: str, was_set: Any, is_set: Any) -> str:
    """What changed of a setting, so that people see it though long values are cut off."""
    was_set, is_set = _without_the_same(was_set, is_set)
    was, now = _show(was_set), _show(is_set)
    if isinstance(was_set, list) and isinstance(is_set, list) and _SHOWN in (len(was), len(now)):
        gone = ", ".join(str(each) for each in was_set if each not in is_set)
        come = ", ".join(str(each) for each in is_set if each not in was_set)
        said = [f"{word} {those}" for word, those in (("without", gone), ("with", come)) if those]
        if said:
            return f"{name}: {' and '.join(said)}"
    if was == now and len(was) == _SHOWN:
        return f"{name} changed after '{was[:-3]}'"
    return f"{name} {was} -> {now}"


def _without_the_same(one: Any, other: Any) -> tuple[Any, Any]:
    """Two values; of two tables, such as the names of speakers, only what differs: a long one shows
    its beginning alone."""
    if not (isinstance(one, dict) and isinstance(other, dict)) or "content" in one | other:
        return one, other
    return (
        {name: value for name, value in one.items() if other.get(name) != value},
        {name: value for name, value in other.items() if one.get(name) != value},
    )


def _settings(stage: Stage, config: Config) -> dict[str, Any]:
    found: dict[str, Any] = {}
    served = bool(stage.endpoint and configuration.get(config, stage.endpoint))
    for name in stage.settings:
        value = configuration.get(config, name)
        if name == "stages":  # what is made of all videos together changes nothing of one
            value = [target for target in value if TARGETS[target]]
        elif name == "onscreen.languages":  # one model reads all others, whichever are named
            value = ["en", *needing_models(value)]
        for setting, leaf in _leaves(name, value):
            if served and setting in stage.in_process:
                continue
            if served and setting == stage.endpoint:
                leaf = True  # a server may move, and has the same models then
            if setting in stage.later and leaf == _left_out(stage, setting):
                continue
            # With a repository on the hub, a file here of the same name is another one.
            named = setting in stage.models and not served and leaf is not None
            here = named and configuration.repository(config, setting) is None
            found[setting] = model(leaf) if here else leaf
    return found


def _value(settings: Mapping[str, Any], name: str | None, stage: Stage) -> Any:
    """What the settings of a fingerprint say, or leave out."""
    if name is None:
        return None
    if name not in settings and name in stage.later:
        return _left_out(stage, name)
    return settings.get(name)


def _left_out(stage: Stage, setting: str) -> Any:
    """The value at which a setting that joined later is in no fingerprint."""
    if setting in stage.before:
        return stage.before[setting]
    return configuration.default(setting)


def _leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, child in value.items() for leaf in _leaves(f"{name}.{key}", child)]
    return [(name, value)]


def model(name: str) -> Any:
    """What a model setting stands for: a name on the hub, or what is in the file or folder.

    A local model is known by its content, so it may be moved, and a retrained one under the
    old name is noticed. Its name is kept for people to read.
    """
    path = configuration.expand(name)
    try:
        return {"name": path.name, "content": _model_digest(path)}
    except FileNotFoundError:
        return name
    except OSError as error:
        raise UserError(f"{path}: the model can't be read: {error.strerror}") from None


@functools.cache
def _model_digest(path: Path) -> str:
    """The sampled digest of a model file, or of a folder's files with their names."""
    if path.is_file():
        return sources.digest(path)
    files = sorted(file for file in path.iterdir() if file.is_file())
    listed = "\n".join(f"{file.name} {sources.digest(file)}" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def _show(value: Any) -> str:
    if isinstance(value, dict) and "content" in value:
        return f"{value['name']} ({value['content'][:8]})"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) < _SHOWN else f"{text[: _SHOWN - 3]}..."
