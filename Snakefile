"""reelmake: make for video libraries.

    snakemake -n --config videos=~/Movies          what would run, and why
    snakemake --cores 8 --config videos=~/Movies   run it

One stage a rule, from the video to its artifacts in results/<video>/.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir, "scripts")))


configfile: Path(workflow.basedir, "config.yaml")


wildcard_constraints:
    video="[^/]+",


include: "rules/common.smk"
include: "rules/media.smk"
include: "rules/speech.smk"
include: "rules/pictures.smk"
include: "rules/search.smk"
include: "rules/highlights.smk"
include: "rules/story.smk"
include: "rules/manifest.smk"
include: "rules/catalog.smk"
include: "rules/models.smk"
include: "rules/share.smk"


localrules:
    all,
    transcripts,
    speakers,
    translations,
    scenes,
    onscreen,
    descriptions,
    embeddings,
    highlights,
    clips,
    narrative,
    chapters,
    trailer,
    catalog,
    update_catalog,
    models,


# Ctrl+C is the run's to answer, which tells its jobs: one that only just starts would end in a
# traceback. (The first part is Snakemake's own.)
shell.prefix("set -euo pipefail; trap '' INT; ")


onstart:
    signals.handle_signals(
        say if THIS_SHARE is None else print, *([shares.tell_cluster] if is_cluster() else [])
    )


onsuccess:
    sum_up()


onerror:
    sum_up()


rule all:
    default_target: True
    input:
        # The first question has the library prepared (`Library.prepare`): its lock taken, its
        # servers asked, its sidecars written. All further ones only look up what it found.
        # Each artifact, not the manifest alone: Snakemake does not miss a file in the middle.
        artifacts(*lasting_stages()),
        catalog_if_stale,


rule transcripts:
    input:
        artifacts(*TARGETS["transcripts"]),


rule speakers:
    input:
        artifacts(*TARGETS["speakers"]),


rule translations:
    input:
        artifacts(*TARGETS["translations"]),


rule scenes:
    input:
        artifacts(*TARGETS["scenes"]),


rule onscreen:
    input:
        artifacts(*TARGETS["onscreen"]),


rule descriptions:
    input:
        artifacts(*TARGETS["descriptions"]),


rule embeddings:
    input:
        artifacts(*TARGETS["embeddings"]),


rule highlights:
    input:
        artifacts(*TARGETS["highlights"]),


rule clips:
    input:
        artifacts(*TARGETS["clips"]),


rule narrative:
    input:
        artifacts(*TARGETS["narrative"]),


rule chapters:
    input:
        artifacts(*TARGETS["chapters"]),


rule trailer:
    input:
        artifacts(*TARGETS["trailer"]),


rule catalog:
    input:
        catalog_or_nothing,
