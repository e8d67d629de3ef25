"""CONTRIBUTING's ten lines on adding a stage, followed to the letter."""

import shutil

from workspace import ROOT

ROW = """    Stage(
        name="summary",
        rule="count_words",
        version=1,
        artifacts=("summary.json",),
        settings=("audio.track",),
        upstream=("transcript",),
    ),
)

_MANIFEST"""

RULE = '''"""How much is said.

in: results/{video}/transcript.json
out: results/{video}/summary.json
"""


rule count_words:
    input:
        fingerprint=fingerprint("summary"),
        transcript="results/{video}/transcript.json",
    output:
        summary="results/{video}/summary.json",
    log:
        "logs/count_words/{video}.log",
    message:
        "{wildcards.video}: counting words"
    conda:
        "../envs/speech.yaml"
    priority: 50
    params:
        run=run_context("summary"),
    script:
        "../scripts/count_words.py"
'''

SCRIPT = '''"""How much is said: results/V/summary.json."""

from pathlib import Path

from reelmake.foundation import artifact_files
from reelmake.jobs import memoized_job
from reelmake.jobs.job import Job
from reelmake.jobs.runner import job


def count_words(this: Job, transcript: Path, output: Path) -> None:
    """Count the words of the transcript."""
    segments = artifact_files.read_json(transcript)["segments"]
    words = sum(len(segment["words"]) for segment in segments)
    artifact_files.write_json(output, {"words": words}, "summary")


if __name__ == "__main__":
    with job(snakemake.input.fingerprint, snakemake.log[0], snakemake.params.run) as this:
        memoized_job.make(
            this,
            count_words,
            transcript=Path(snakemake.input.transcript),
            output=Path(snakemake.output.summary),
        )
'''

SCHEMA = """{"type": "object", "additionalProperties": false, "required": ["words"],
"properties": {"words": {"type": "integer", "minimum": 0}}}
"""


def replace(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def test_a_stage_is_a_row_a_rule_and_a_script(finished, tmp_path):
    project = tmp_path / "project"
    ignored = shutil.ignore_patterns(".*", "results", "logs", "demo", "tests", "benchmarks")
    shutil.copytree(ROOT, project, ignore=ignored)
    table = project / "scripts/reelmake/library/stages.py"
    replace(table, ")\n\n_MANIFEST", ROW)
    replace(
        project / "scripts/reelmake/library/stages.py",
        '"subtitles"),\n',
        '"subtitles", "summary"),\n',
    )
    (project / "rules/words.smk").write_text(RULE)
    (project / "scripts/count_words.py").write_text(SCRIPT)
    (project / "scripts/reelmake/schemas/summary.schema.json").write_text(SCHEMA)
    replace(
        project / "Snakefile",
        'include: "rules/speech.smk"\n',
        'include: "rules/speech.smk"\ninclude: "rules/words.smk"\n',
    )

    library = finished.copy(tmp_path / "work")
    library.config["cache"] = {"dir": "cache"}  # a copy, too: other tests count what is in it
    library.snakefile = project / "Snakefile"
    # Only the new stage, and the manifest that lists it, for what was finished before.
    assert library.plan() == ["count_words x2", "write_manifest x2"]
    library.run()
    assert library.json("one", "summary.json")["words"] > 3
    assert library.record("one", "summary")["state"] == "done"
    listed = library.json("one", "manifest.json")["stages"]["summary"]["artifacts"]
    assert [entry["path"] for entry in listed] == ["summary.json"]
    assert library.plan() == []
    # Fingerprints come with the row: its setting makes it stale, and nothing else of speech's.
    assert "count_words x2" in library.plan("--config", "audio={track: 0}")
    # So does the cache.
    shutil.rmtree(library.folder / "results")
    library.run(env=library.without_engines())
    assert library.record("one", "summary")["cache"] == "hit"
