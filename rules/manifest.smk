"""The end of a video: the record of all its artifacts.

in: every artifact of the video
out: results/{video}/manifest.json
"""


rule write_manifest:
    input:
        fingerprint=fingerprint("manifest"),
        media="results/{video}/media.json",
        transcript="results/{video}/transcript.json",
        srt="results/{video}/transcript.srt",
        vtt="results/{video}/transcript.vtt",
        txt="results/{video}/transcript.txt",
        scenes="results/{video}/scenes.json",
        keyframes="results/{video}/keyframes.json",
        folder="results/{video}/keyframes",
        descriptions="results/{video}/{video}.scenedesc.msgpack",
    output:
        manifest="results/{video}/manifest.json",
    log:
        "logs/write_manifest/{video}.log",
    message:
        "{wildcards.video}: writing the manifest"
    conda:
        "../envs/media.yaml"
    priority: 100
    script:
        "../scripts/write_manifest.py"
