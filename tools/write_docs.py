"""Write config.yaml and the pages of the documentation that follow from the code.

make config
"""

import argparse
import re
import sys
from html import escape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from reelmake.catalog import schema_docs
from reelmake.library import config_docs
from reelmake.library.stages import STAGES, TARGETS, Stage, downstream
from reelmake.reel import main as reel
from reelmake.tables import columns

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT, ACROSS, DOWN = 116, 34, 160, 64
"""Of a box of the diagram, and from one to the next, in pixels."""


def settings_page() -> str:
    """docs/settings.md."""
    return f"""# Every setting

`config.yaml` holds them with their defaults. Override what differs there, in a file of yours that
holds only that (`--configfile yours.yaml`), or on the command line:

```
snakemake -n --config prune=false                                       # one without a section
snakemake -n --config 'transcription={{model: tiny, language: de}}'       # those of a section
snakemake -n --config 'clips={{aspect: 9:16}}' 'trailer={{seconds: 30}}'    # of several
```

Of `--config transcription.model=tiny` Snakemake itself makes a traceback that ends in `Config entry
must start with a valid identifier`: it means the second form. An unknown key is refused with the
nearest right one. `9:16`, `no` (Norwegian) and `2023` are what they look like, also without quotes.

{config_docs.as_markdown()}"""


def pipeline_page() -> str:
    """docs/pipeline.md."""
    rows = [
        "| stage | rule | artifacts | made from | kept in the cache |",
        "|---|---|---|---|---|",
    ]
    for stage in STAGES.values():
        made = ", ".join(f"`{path.replace('{video}', '<id>')}`" for path in stage.artifacts)
        read = [f"({name})" if name in stage.optional else name for name in stage.upstream]
        before = "everything" if stage.name == "manifest" else ", ".join(read)
        cached = "yes" if stage.cached else "no"
        rows.append(f"| {stage.name} | `{stage.rule}` | {made} | {before} | {cached} |")
    targets = [
        f"- `snakemake {name}`: {', '.join(made) or 'what is on disk, of all videos'}"
        for name, made in TARGETS.items()
    ]
    return f"""# The pipeline

Each stage makes its artifact from those before it. Snakemake runs what is missing or stale, and
films are finished one by one.

![The stages, from the film to the trailer](pipeline.svg)

In an orange box a model runs, on a GPU where there is one. A line that others lead to anyway is
left out; the table has all. What stands there in brackets, the stage can do without: it is read
where `stages` asks for it and, of on-screen text, where a prompt names it. The
manifest, which records everything, comes last.

{chr(10).join(rows)}

`source` is there for videos on the web only. `audio.wav` is deleted when the transcript is done.

## Targets

A plain `snakemake` makes what the setting `stages` asks for. By name:

{chr(10).join(targets)}
"""


def diagram() -> str:
    """docs/pipeline.svg: the stages in rows, each below all that it is made from."""
    shown = [stage for stage in STAGES.values() if stage.name != "manifest"]
    row: dict[str, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for stage in shown:
        row[stage.name] = 1 + max((row[name] for name in stage.upstream), default=-1)
        beside = sum(other == row[stage.name] for other in row.values()) - 1
        places[stage.name] = (20 + beside * ACROSS, 20 + row[stage.name] * DOWN)
    width = max(x for x, _ in places.values()) + WIDTH + 20
    height = max(y for _, y in places.values()) + HEIGHT + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="14">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for stage in shown:
        for name in direct(stage):
            (x1, y1), (x2, y2) = places[name], places[stage.name]
            x1, y1, x2 = x1 + WIDTH // 2, y1 + HEIGHT, x2 + WIDTH // 2
            middle = (y1 + y2) // 2
            parts.append(
                f'<path d="M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}" '
                'fill="none" stroke="#888" stroke-width="1.5"/>'
            )
    for stage in shown:
        x, y = places[stage.name]
        fill = "#fde7c8" if stage.gpu else "#e3ecf7"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" '
            f'stroke="#555"/><text x="{x + WIDTH // 2}" y="{y + 22}" text-anchor="middle" '
            f'fill="#111">{escape(stage.name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def direct(stage: Stage) -> list[str]:
    """The stages that this one is made from and that no other of them is made from."""
    upstream = [name for name in stage.upstream if stage.optional.get(name) is None]
    return [name for name in upstream if not set(upstream) & set(downstream(name)[1:])]


def commands_page() -> str:
    """docs/commands.md: what each `reel` command says of itself."""
    parts = [
        "# The command `reel`",
        "",
        "`reel` is for what is not a target of Snakemake. It takes no lock and works while a run",
        "is going on. Runs are started with `snakemake`.",
    ]
    for name, command in _commands(reel.parser(), "reel"):
        if not any(isinstance(a, argparse._SubParsersAction) for a in command._actions):
            command.formatter_class = _Plain
            parts += ["", f"## {name}", "", "```", command.format_help().rstrip(), "```"]
    return "\n".join([*parts, ""])


class _Plain(argparse.RawDescriptionHelpFormatter):
    """As wide as a page, whatever the terminal is."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=88)


def _commands(
    parser: argparse.ArgumentParser, name: str
) -> list[tuple[str, argparse.ArgumentParser]]:
    found = [(name, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, command in action.choices.items():
                found += _commands(command, f"{name} {word}")
    return found


def artifact_list() -> str:
    """The part of docs/artifacts.md that follows from the schemas."""
    names = sorted(path.name for path in (ROOT / "scripts/reelmake/schemas").glob("*.json"))
    rows = ["## Schemas", "", "JSON Schema, draft 2020-12, in `scripts/reelmake/schemas/`:", ""]
    return "\n".join([*rows, *(f"- `{name}`" for name in names), ""])


def filled(page: str, marker: str, content: str) -> str:
    """A page with what stands after its marker replaced by the content."""
    text = (ROOT / "docs" / page).read_text()
    kept = re.match(rf".*<!-- generated: {marker} -->\n", text, re.S)
    assert kept, (page, marker)
    return f"{kept[0]}\n{content}"


def pages() -> dict[str, str]:
    """Every generated file: its path below the project -> its content."""
    return {
        "config.yaml": config_docs.as_yaml(),
        "docs/settings.md": settings_page(),
        "docs/pipeline.md": pipeline_page(),
        "docs/pipeline.svg": diagram(),
        "docs/commands.md": commands_page(),
        "docs/artifacts.md": filled("artifacts.md", "artifacts", artifact_list()),
        "docs/hardware.md": filled("hardware.md", "profiles", config_docs.profiles_as_markdown()),
        "docs/catalog.md": filled("catalog.md", "catalog", schema_docs.as_markdown()),
        "docs/tables.md": filled("tables.md", "tables", columns.as_markdown()),
    }


def main() -> None:
    """Write them all."""
    for path, content in pages().items():
        (ROOT / path).write_text(content)


if __name__ == "__main__":
    main()
