"""What is shown: from the frames to scenes, keyframes and their descriptions.

in: the video, results/{video}/media.json
out: results/{video}/scenes.json, keyframes.json, keyframes/, {video}.scenedesc.msgpack
"""


rule detect_scenes:
    input:
        fingerprint=fingerprint("scenes"),
        source=downloaded,
        media="results/{video}/media.json",
    output:
        scenes=update("results/{video}/scenes.json"),
    log:
        "logs/detect_scenes/{video}.log",
    priority: 20
    conda:
        "../envs/pictures.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("scenes"),
    message:
        "{wildcards.video}: detecting scenes"
    script:
        "../scripts/detect_scenes.py"


rule extract_keyframes:
    input:
        fingerprint=fingerprint("keyframes"),
        source=downloaded,
        media="results/{video}/media.json",
        scenes="results/{video}/scenes.json",
    output:
        keyframes="results/{video}/keyframes.json",
        folder=directory("results/{video}/keyframes"),
    log:
        "logs/extract_keyframes/{video}.log",
    priority: 30
    conda:
        "../envs/pictures.yaml"
    params:
        run=run_context("keyframes"),
    message:
        "{wildcards.video}: extracting keyframes"
    script:
        "../scripts/extract_keyframes.py"


rule describe_scenes:
    input:
        fingerprint=fingerprint("scenedesc"),
        keyframes="results/{video}/keyframes.json",
        folder="results/{video}/keyframes",
    output:
        descriptions=update("results/{video}/{video}.scenedesc.msgpack"),
    log:
        "logs/describe_scenes/{video}.log",
    priority: 40
    conda:
        "../envs/vision.yaml"
    threads: settings["hardware"]["threads"]
    resources:
        gpu=gpus("scenedesc"),
    params:
        run=run_context("scenedesc"),
    message:
        "{wildcards.video}: describing scenes"
    script:
        "../scripts/describe_scenes.py"
