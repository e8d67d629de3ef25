"""The configuration for people, written from its schema: config.yaml and the page of settings."""

import json
from collections.abc import Iterator
from typing import Any

from reelmake.foundation.units import show_bytes
from reelmake.library.config import schema, settings
from reelmake.library.model_profiles import PROFILES
from reelmake.library.stages import STAGES, downstream


def as_yaml() -> str:
    """config.yaml: every setting with its default and its description."""
    head = (
        "# yaml-language-server: $schema=scripts/reelmake/schemas/config.schema.json\n"
        "# Every setting with its default. Override some with --config key=value, with\n"
        "# --config 'section={key: value}', or with --configfile and a file of what differs.\n"
        "# Paths are relative to the working directory, ~ is your home.\n"
    )
    return head + "".join(f"{line}\n" for line in _yaml_lines(schema()))


def as_markdown() -> str:
    """A table of the settings of each section, with what a change of them makes stale."""
    parts = [_table("General", [name for name, _ in settings() if "." not in name])]
    for section, node in schema()["properties"].items():
        if "properties" in node:
            names = [name for name, _ in settings() if name.startswith(f"{section}.")]
            parts.append(f"{_table(section, names, node['description'])}")
    return "\n".join(parts)


def profiles_as_markdown() -> str:
    """A table of the models that each profile names."""
    rows = [
        "| profile | for a GPU of | model | to download | video memory | speed |",
        "|---|---|---|---|---|---|",
    ]
    for name, profile in PROFILES.items():
        for model in profile.models:
            files = [value for key, value in model.settings.items() if "repo_id" not in key]
            repository = set(model.settings.values()).difference(files)
            named = ", ".join(f"`{file}`" for file in files)
            named += "".join(f" of `{each}`" for each in repository)
            rows.append(
                f"| `{name}` | {profile.memory} GB | {model.what}: {named} | "
                f"{show_bytes(model.download)} | {show_bytes(model.memory)} | {model.speed} |"
            )
    return "".join(f"{row}\n" for row in rows)


def _table(title: str, names: list[str], about: str = "") -> str:
    nodes = dict(settings())
    rows = [f"## {title}", ""]
    rows += [f"{about[:1].upper()}{about[1:]}.", ""] if about else []
    rows += ["| setting | default | what it is | a change makes stale |", "|---|---|---|---|"]
    for name in names:
        default = json.dumps(nodes[name]["default"]).replace("|", "\\|")
        rows.append(f"| `{name}` | `{default}` | {nodes[name]['description']} | {_stale(name)} |")
    return "".join(f"{row}\n" for row in rows)


def _stale(name: str) -> str:
    """What a change of a setting makes stale: 'transcript and after'."""
    if name == "hardware.profile":
        return "what other models make, and after"
    users = [
        stage.name
        for stage in STAGES.values()
        if any(name == used or name.startswith(f"{used}.") for used in stage.settings)
    ]
    after = " and after" if users and len(downstream(users[0])) > 1 else ""
    return f"{users[0]}{after}" if users else "nothing"


def _yaml_lines(node: dict[str, Any], indent: str = "") -> Iterator[str]:
    for key, child in node["properties"].items():
        if "properties" in child:
            yield f"\n{indent}{key}: # {child['description']}"
            yield from _yaml_lines(child, indent + "  ")
        else:
            value = child["default"]
            plain = isinstance(value, str) and len(value) < 60  # longer ones hold `: ` or `#`
            yield f"{indent}# {child['description']}"
            yield f"{indent}{key}: {value if plain else json.dumps(value)}"
