"""A run over very many videos: one over some of them each (`reelmake.jobs.shares`).

in: .snakemake/reelmake.shares/{run}/{share}.json, which lists them
out: .snakemake/reelmake.shares/{run}/{share}.done
"""


rule run_share:
    input:
        share_file,
    output:
        f"{SHARES}/{{run}}/{{share}}.done",
    log:
        f"{SHARES}/{{run}}/{{share}}.log",
    conda:
        "../envs/media.yaml"
    threads: workflow.resource_settings.cores or 1
    message:
        "share {wildcards.share}"
    script:
        "../scripts/run_share.py"
