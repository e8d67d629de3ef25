"""The configuration: defaults and types from `schemas/config.schema.json`, which closes it."""

import contextlib
import copy
import datetime
import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reelmake.foundation.artifact_files import SCHEMAS, is_valid, validate
from reelmake.foundation.errors import UserError
from reelmake.foundation.text import nearest
from reelmake.library import config_checks, model_profiles

Config = dict[str, Any]

DEFAULTS = Path(__file__).resolve().parents[3] / "config.yaml"
"""What a run from a checkout reads first. An installed package has none beside it: the schema
holds the same defaults."""


@functools.cache
def schema() -> dict[str, Any]:
    """The schema of the configuration."""
    document: dict[str, Any] = json.loads((SCHEMAS / "config.schema.json").read_bytes())
    return document


def load(given: Config) -> Config:
    """The whole configuration: what was given over the defaults, checked; no model is `auto`.

    Raises UserError for an unknown key (naming the nearest right one) or a wrong value.
    """
    config: Config = _defaults(schema())
    merge(config, _with_switches(copy.deepcopy(given)))
    _refuse_unknown(config, schema())
    typed: Config = _typed(config, schema())
    config_checks.check_names(typed)
    try:
        validate(typed, "config")
    except (ValueError, RecursionError) as error:
        raise UserError(f"config: {error}; config.yaml says what each setting may be") from None
    for name, _ in settings():  # infinity and not-a-number pass the schema
        value = get(typed, name)
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"config: {name} is {value}; give it a number")
    config_checks.check(typed)
    model_profiles.resolve(typed)
    if not typed["translations"]["languages"]:  # nobody wants any
        typed["stages"] = [name for name in typed["stages"] if name != "translations"]
    return typed


def get(config: Any, dotted: str) -> Any:
    """The value of a section or a setting: `get(config, "transcription.model")`."""
    for key in dotted.split("."):
        config = config[key]
    return config


def default(dotted: str) -> Any:
    """The default of a single setting, such as `audio.track`."""
    node = schema()
    for key in dotted.split("."):
        node = node["properties"][key]
    return copy.deepcopy(node["default"])


def repository(config: Config, setting: str) -> str | None:
    """The repository on the hub that a model setting is a file of; None: it is a file here, or
    a name that its engine knows."""
    section = config[setting.partition(".")[0]]
    found: str | None = section.get("repo_id")
    return found


def endpoint(config: Config, setting: str) -> str | None:
    """The address of the server that has the model which a setting names; None: it runs here."""
    found: str | None = config[setting.partition(".")[0]].get("endpoint")
    return found


def with_overrides(config: Config, overrides: dict[str, Any]) -> Config:
    """The configuration of one video: `overrides` maps dotted keys to values."""
    if not overrides:
        return config
    given = copy.deepcopy(config)
    for key, value in overrides.items():
        merge(given, _nest(key, value))
    own = load(given)
    if own["translations"]["languages"] and not config["translations"]["languages"]:
        raise UserError(
            "translations.languages: one video can have others than all, where the configuration "
            "names some for all"
        )
    if "translations" in given["stages"]:  # it is made of all, if into no language
        own["stages"] = given["stages"]
    return own


def settings(
    node: dict[str, Any] | None = None, prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each setting's dotted name with its schema, in the schema's order."""
    for key, child in (node or schema())["properties"].items():
        if "properties" in child:
            yield from settings(child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", child


def expand(path: str) -> Path:
    """A path as written in the config: relative to the working directory, `~` is home.

    Raises UserError for the home of somebody who does not exist.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(f"config: there is no home for the ~ in {path}") from None


def _defaults(node: Any) -> Any:
    if "properties" in node:
        return {key: _defaults(child) for key, child in node["properties"].items()}
    return copy.deepcopy(node["default"])


def _with_switches(given: Config) -> Config:
    """`given` with `section: false` as what it stands for, `section: {enabled: false}`."""
    for key, node in schema()["properties"].items():
        value = given.get(key)
        value = {"true": True, "false": False}.get(str(value).lower(), value)
        if "enabled" in node.get("properties", {}) and isinstance(value, bool):
            given[key] = {"enabled": value}
    return given


def _typed(value: Any, node: dict[str, Any]) -> Any:
    """`value` with each text that the schema wants as a number, truth value or null as that.

    Snakemake's command line and a sample sheet give text: `section={beam_size: 3}` arrives as
    "3". And a folder named 2023 or 2024-01-01 arrives as a number or a date. A number gets the
    schema's type. One text where a list must be is a list of one: `stages=highlights`.
    """
    if "properties" in node:
        if not isinstance(value, dict):
            return value
        return {key: _typed(child, node["properties"][key]) for key, child in value.items()}
    types = _types(node)
    if isinstance(value, str):
        with contextlib.suppress(ValueError, RecursionError):
            read = json.loads(value.lower())
            # What no text may be is wrong as a number, and should be called wrong as that.
            wanted = is_valid(read, node) or (bool(types) and "string" not in types)
            value = read if not isinstance(read, str) and wanted else value
        if types == {"array"} and isinstance(value, str):
            value = [value]
    elif isinstance(value, datetime.date):
        value = str(value)
    elif isinstance(value, int | float) and not is_valid(value, node):
        value = next((text for text in _as_typed(value, node) if is_valid(text, node)), value)
    if isinstance(value, dict) and "additionalProperties" in node:
        return {key: _typed(child, node["additionalProperties"]) for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(item, _items(node)) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        # 4 and 4.0 are one value, and must be one fingerprint.
        value = float(value) if "number" in types else value
        value = int(value) if "integer" in types and value == int(value) else value
    return value


def _as_typed(value: float | bool, node: dict[str, Any]) -> list[str]:
    """The texts without quotes of which YAML makes a number or a truth value, the likeliest first.

    YAML 1.1 (https://yaml.org/type/) reads 2023 as a number, 9:16 as 9 x 60 + 16, and `no`, which
    is Norwegian, as false.
    """
    if isinstance(value, bool):
        return ["no"] if value is False and node.get("format") == "language" else []
    if isinstance(value, int) and value >= 60:
        return [str(value), f"{value // 60}:{value % 60}"]
    return [str(value)]


def _types(node: dict[str, Any]) -> set[str]:
    """The JSON types that the schema allows."""
    types = node.get("type", [])
    alternatives = (_types(child) for child in node.get("anyOf", []))
    return set().union([types] if isinstance(types, str) else types, *alternatives)


def _items(node: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list's items."""
    alternatives = [node, *node.get("anyOf", [])]
    return next((child["items"] for child in alternatives if "items" in child), {})


def _nest(key: str, value: Any) -> Config:
    first, _, rest = key.partition(".")
    return {first: _nest(rest, value) if rest else value}


def merge(base: Config, over: Config) -> None:
    """Put the settings of `over` into `base`, section by section."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def _refuse_unknown(config: Config, node: dict[str, Any], prefix: str = "") -> None:
    known = [name for name, _ in settings()] + list(schema()["properties"])
    for key, value in config.items():
        name = f"{prefix}{key}"
        child = node["properties"].get(key)
        if child is None:
            # The right key may stand in another section: `model_size` for `transcription.model`.
            near = nearest(name, known, 0.4)
            hint = f"; did you mean '{near}'?" if near else ""
            raise UserError(f"config: there is no setting '{name}'{hint}")
        if "properties" in child:
            if not isinstance(value, dict):
                example = next(iter(child["properties"]))
                raise UserError(
                    f"config: {name}: {value!r} is no section of settings; config.yaml says which "
                    f"it has, such as {on_command_line(name, example)}"
                )
            _refuse_unknown(value, child, f"{name}.")


def on_command_line(section: str, key: str, value: str = "…") -> str:
    """How a setting of a section is given on Snakemake's command line."""
    return f"--config '{section}={{{key}: {value}}}'"
