"""The best moments: candidates, their scores, the chosen ones, and a film of each.

in: the video, results/{video}/transcript.json, scenes.json, {video}.scenedesc.msgpack, keyframes.json
out: results/{video}/segments.json, scores.json, highlights.json, clips.json, clips/
"""


rule build_segments:
    input:
        fingerprint=fingerprint("segments"),
        media="results/{video}/media.json",
        transcript="results/{video}/transcript.json",
        scenes="results/{video}/scenes.json",
    output:
        segments="results/{video}/segments.json",
    log:
        "logs/build_segments/{video}.log",
    priority: 50
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("segments"),
    message:
        "{wildcards.video}: building segments"
    script:
        "../scripts/build_segments.py"


rule score_segments:
    input:
        fingerprint=fingerprint("scores"),
        segments="results/{video}/segments.json",
        descriptions="results/{video}/{video}.scenedesc.msgpack",
        onscreen=optional("scores", "onscreen"),
    output:
        scores=update("results/{video}/scores.json"),
    log:
        "logs/score_segments/{video}.log",
    priority: 60
    conda:
        "../envs/vision.yaml"
    threads: settings["hardware"]["threads"]
    resources:
        gpu=gpus("scores"),
    params:
        run=run_context("scores"),
    message:
        "{wildcards.video}: scoring segments"
    script:
        "../scripts/score_segments.py"


rule select_highlights:
    input:
        fingerprint=fingerprint("highlights"),
        segments="results/{video}/segments.json",
        scores="results/{video}/scores.json",
    output:
        highlights="results/{video}/highlights.json",
    log:
        "logs/select_highlights/{video}.log",
    priority: 70
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("highlights"),
    message:
        "{wildcards.video}: selecting highlights"
    script:
        "../scripts/select_highlights.py"


rule cut_clips:
    input:
        fingerprint=fingerprint("clips"),
        source=downloaded,
        media="results/{video}/media.json",
        transcript="results/{video}/transcript.json",
        keyframes="results/{video}/keyframes.json",
        highlights="results/{video}/highlights.json",
    output:
        clips="results/{video}/clips.json",
        folder=directory("results/{video}/clips"),
    log:
        "logs/cut_clips/{video}.log",
    priority: 80
    conda:
        "../envs/media.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("clips"),
    message:
        "{wildcards.video}: cutting clips"
    script:
        "../scripts/cut_clips.py"
