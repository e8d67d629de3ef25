"""What a search by meaning compares: what is said and seen, as vectors.

in: results/{video}/transcript.json, {video}.scenedesc.msgpack, keyframes.json, keyframes/
out: results/{video}/embeddings.msgpack
"""


rule embed_moments:
    input:
        fingerprint=fingerprint("embeddings"),
        transcript="results/{video}/transcript.json",
        descriptions="results/{video}/{video}.scenedesc.msgpack",
        keyframes="results/{video}/keyframes.json",
        folder="results/{video}/keyframes",
    output:
        embeddings=update("results/{video}/embeddings.msgpack"),
    log:
        "logs/embed_moments/{video}.log",
    priority: 45
    conda:
        "../envs/search.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("embeddings"),
    message:
        "{wildcards.video}: embedding moments"
    script:
        "../scripts/embed_moments.py"
