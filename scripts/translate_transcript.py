"""What is said, in other languages: results/V/translations.json."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.editing import languages, prompts, translating
from reelmake.editing.translating import Line
from reelmake.foundation import artifact_files
from reelmake.jobs import answer_groups, memoized_job, model_answers
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job
from reelmake.library import fingerprints, integrity
from reelmake.library.stages import STAGES

if TYPE_CHECKING:
    from snakemake.script import snakemake

Translation = dict[str, Any]
"""Of a language, as translations.json has it."""


def translate_transcript(this: Job, transcript: Path, output: Path) -> None:
    """Translate each line into each language. A line that the model fails on stays as it is; a
    model that fails on all of many fails the stage.

    A language that is at `output` already, made of the same, is taken from there: another one in
    the settings costs its own lines alone.
    """
    content = integrity.read_json(transcript)
    said = translating.lines(content, this.settings["task"])
    wanted = {code: _made_from(this, said, code) for code in this.settings["languages"]}
    names = languages.to_translate_into(wanted)
    with this.journal() as journal:
        # A run that is stopped may find no artifact when it goes on, but the journal.
        kept = answer_groups.noted(journal, lambda: _kept(this, output, wanted, len(said)))
    for code in kept:
        print(f"{names[code]}: as it was")
    asked = {code: name for code, name in names.items() if code not in kept}
    texts = _ask(this, said, asked)
    ids = [segment["id"] for segment in content["segments"]]
    found = [
        kept[code]
        if code in kept
        else _translation(code, wanted[code], said, texts[code], ids, names[code])
        for code in wanted
    ]
    failed = sum(len(each["failed"]) for each in found)
    this.record["items_failed"] = failed
    artifact_files.write_json(
        output, model_answers.named(this) | {"failed": failed, "languages": found}, "translations"
    )


def _made_from(this: Job, said: list[Line], code: str) -> str:
    """SHA-256 of all that the translation into a language is made from."""
    settings = {name: value for name, value in this.settings.items() if name != "languages"}
    return fingerprints.key(
        {
            "version": STAGES[this.stage].version,
            "settings": settings,
            "lines": [[line.text, line.language] for line in said],
            "language": code,
        }
    )


def _kept(this: Job, output: Path, wanted: Mapping[str, str], count: int) -> dict[str, Translation]:
    """The translations of an earlier job that are still right, by language. count: of the lines
    that each has, unless somebody has edited it."""
    if this.stage in this.run.forced:
        return {}
    before = artifact_files.read_json(output)
    try:
        artifact_files.validate(before, "translations", more=True)
    except ValueError:
        return {}
    return {
        each["language"]: each
        for each in before["languages"]
        if each["made_from"] == wanted.get(each["language"]) and len(each["lines"]) == count
    }


def _ask(this: Job, said: list[Line], names: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """The translations by language, and by the number of the line; those that failed are not in
    there. names: of the languages."""
    found: dict[str, dict[int, str]] = {code: {} for code in names}
    first = _asked_once(this, said, names, found, needed=False)
    # A line may fail for those that it was asked with.
    left = {
        code: {number for some in first[code] for number in some} - found[code].keys()
        for code in names
    }
    if any(left.values()):
        needed = not any(found.values())
        _asked_once(this, said, names, found, needed, left)
    return found


def _asked_once(
    this: Job,
    said: list[Line],
    names: Mapping[str, str],
    found: dict[str, dict[int, str]],
    needed: bool,
    alone: Mapping[str, set[int]] | None = None,
) -> dict[str, list[range]]:
    """Ask, and put what comes of it into `found`; the lines that were asked about.

    alone: the lines to be asked about, each by itself; None: all, several at once.
    """
    settings = this.settings if alone is None else this.settings | {"lines_at_once": 1}
    asked = [
        (code, some, question)
        for code, name in names.items()
        for some, question in translating.questions(said, code, name, settings)
        if alone is None or some.start in alone[code]
    ]
    answers = model_answers.ask(this, [each for *_, each in asked], translating.form, needed)
    for (code, some, question), answer in zip(asked, answers, strict=True):
        for place, number in enumerate(some, 1):
            text = answer and translating.translated(question, place, answer[str(place)])
            if text:
                found[code][number] = text
    lines: dict[str, list[range]] = {code: [] for code in names}
    for code, some, _ in asked:
        lines[code].append(some)
    return lines


def _translation(
    code: str,
    made_from: str,
    said: list[Line],
    texts: Mapping[int, str],
    ids: list[int],
    name: str,
) -> Translation:
    already = sum(bool(line.text) and line.language == code for line in said)
    failed = [
        number
        for number, line in enumerate(said)
        if line.text and line.language != code and number not in texts
    ]
    for number in failed:
        shown = prompts.one_line(said[number].text, model_answers.SHOWN)
        print(f"{name}: it stays as it is: '{shown}'")
    if already:
        print(f"{name}: {already} of {len(said)} lines are in it already")
    return {
        "language": code,
        "made_from": made_from,
        "already": already,
        "failed": [ids[number] for number in failed],
        "lines": [texts.get(number) for number in range(len(said))],
    }


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            translate_transcript,
            transcript=Path(snakemake.input.transcript),
            output=Path(snakemake.output.translations),
        )
