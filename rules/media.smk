"""The source itself.

in: the video that the fingerprint names
out: results/{video}/media.json
"""


rule probe_media:
    input:
        fingerprint=fingerprint("media"),
    output:
        media="results/{video}/media.json",
    log:
        "logs/probe_media/{video}.log",
    priority: 10
    conda:
        "../envs/media.yaml"
    params:
        cache=cache("media"),
    message:
        "{wildcards.video}: probing the source"
    script:
        "../scripts/probe_media.py"
