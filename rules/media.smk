"""The source itself.

in: the video that the fingerprint names
out: results/{video}/source.json with source.<ext> beside it (of a URL only), media.json
"""


rule fetch_source:
    input:
        fingerprint=fingerprint("source"),
    output:
        record=update("results/{video}/source.json"),
    log:
        "logs/fetch_source/{video}.log",
    priority: 5
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("source"),
    message:
        "{wildcards.video}: downloading"
    script:
        "../scripts/fetch_source.py"


rule probe_media:
    input:
        fingerprint=fingerprint("media"),
        source=downloaded,
    output:
        media="results/{video}/media.json",
    log:
        "logs/probe_media/{video}.log",
    priority: 10
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("media"),
    message:
        "{wildcards.video}: probing the source"
    script:
        "../scripts/probe_media.py"
