"""The models that the configuration names, downloaded before a run: jobs never download."""


rule models:
    input:
        nothing,
    log:
        "logs/models.log",
    conda:
        "../envs/vision.yaml"
    message:
        "downloading models"
    script:
        "../scripts/download_models.py"
