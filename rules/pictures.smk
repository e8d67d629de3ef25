"""What is shown: from the frames to scenes, keyframes, the text in the picture and descriptions.

in: the video, results/{video}/media.json
out: results/{video}/scenes.json, keyframes.json, keyframes/, onscreen.json, {video}.scenedesc.msgpack
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


rule read_onscreen_text:
    input:
        fingerprint=fingerprint("onscreen"),
        source=downloaded,
        media="results/{video}/media.json",
        keyframes="results/{video}/keyframes.json",
    output:
        onscreen=update("results/{video}/onscreen.json"),
    log:
        "logs/read_onscreen_text/{video}.log",
    priority: 35
    conda:
        "../envs/pictures.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("onscreen"),
    message:
        "{wildcards.video}: reading on-screen text"
    script:
        "../scripts/read_onscreen_text.py"


rule describe_scenes:
    input:
        fingerprint=fingerprint("scenedesc"),
        keyframes="results/{video}/keyframes.json",
        folder="results/{video}/keyframes",
        onscreen=optional("scenedesc", "onscreen"),
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
