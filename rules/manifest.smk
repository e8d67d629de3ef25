"""The end of a video: the record of all its artifacts.

in: every artifact of the video
out: results/{video}/manifest.json
"""


rule write_manifest:
    input:
        fingerprint=fingerprint("manifest"),
        source=downloaded,
        artifacts=upstream("manifest"),
    output:
        manifest=update("results/{video}/manifest.json"),
    log:
        "logs/write_manifest/{video}.log",
    priority: 100
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("manifest"),
    message:
        "{wildcards.video}: writing the manifest"
    script:
        "../scripts/write_manifest.py"
