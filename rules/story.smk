"""The film told in short: its beats, its chapters, and a trailer.

in: the video, results/{video}/media.json, scenes.json, {video}.scenedesc.msgpack, segments.json,
    scores.json
out: results/{video}/narrative.json, chapters.ffmetadata, .txt, trailer.mp4, .otio, .edl
"""


rule write_narrative:
    input:
        fingerprint=fingerprint("narrative"),
        segments="results/{video}/segments.json",
        scores="results/{video}/scores.json",
        descriptions="results/{video}/{video}.scenedesc.msgpack",
        onscreen=optional("narrative", "onscreen"),
    output:
        narrative=update("results/{video}/narrative.json"),
    log:
        "logs/write_narrative/{video}.log",
    priority: 70
    conda:
        "../envs/vision.yaml"
    threads: settings["hardware"]["threads"]
    resources:
        gpu=gpus("narrative"),
    params:
        run=run_context("narrative"),
    message:
        "{wildcards.video}: writing the narrative"
    script:
        "../scripts/write_narrative.py"


rule write_chapters:
    input:
        fingerprint=fingerprint("chapters"),
        media="results/{video}/media.json",
        scenes="results/{video}/scenes.json",
        descriptions="results/{video}/{video}.scenedesc.msgpack",
        narrative="results/{video}/narrative.json",
    output:
        ffmetadata="results/{video}/chapters.ffmetadata",
        txt="results/{video}/chapters.txt",
    log:
        "logs/write_chapters/{video}.log",
    priority: 80
    conda:
        "../envs/vision.yaml"
    params:
        run=run_context("chapters"),
    message:
        "{wildcards.video}: writing chapters"
    script:
        "../scripts/write_chapters.py"


rule assemble_trailer:
    input:
        fingerprint=fingerprint("trailer"),
        source=downloaded,
        media="results/{video}/media.json",
        scenes="results/{video}/scenes.json",
        narrative="results/{video}/narrative.json",
    output:
        film="results/{video}/trailer.mp4",
        otio="results/{video}/trailer.otio",
        edl="results/{video}/trailer.edl",
    log:
        "logs/assemble_trailer/{video}.log",
    priority: 80
    conda:
        "../envs/media.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("trailer"),
    message:
        "{wildcards.video}: assembling the trailer"
    script:
        "../scripts/assemble_trailer.py"
