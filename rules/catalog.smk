"""The catalog of all films: results/catalog.db, from whatever is on disk when it is made.

in: what the run makes of its films; and a file that is new where the catalog is not current
out: results/catalog.json, which says what the catalog holds. The catalog itself is no output:
     Snakemake would remove it before the job, and readers have it open
"""


rule update_catalog:
    input:
        before_catalog,
    output:
        marker="results/catalog.json",
    log:
        "logs/update_catalog.log",
    conda:
        "../envs/media.yaml"
    params:
        rebuild=rebuilds_catalog,
        required=names_catalog,
        match=settings["speakers"]["match"],
    message:
        "bringing the catalog up to date"
    script:
        "../scripts/update_catalog.py"
