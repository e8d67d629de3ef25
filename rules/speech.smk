"""What is said, and by whom: from the sound to transcript and subtitles.

in: the video, results/{video}/media.json
out: results/{video}/audio.wav (temporary), transcript.json, speakers.json, .srt, .vtt, .txt, .md
"""


rule extract_audio:
    input:
        fingerprint=fingerprint("audio"),
        source=downloaded,
        media="results/{video}/media.json",
    output:
        audio=kept("results/{video}/audio.wav"),
    log:
        "logs/extract_audio/{video}.log",
    priority: 20
    conda:
        "../envs/media.yaml"
    params:
        run=run_context("audio"),
    message:
        "{wildcards.video}: extracting the sound"
    script:
        "../scripts/extract_audio.py"


rule transcribe:
    input:
        fingerprint=fingerprint("transcript"),
        audio="results/{video}/audio.wav",
    output:
        transcript=update("results/{video}/transcript.json"),
    log:
        "logs/transcribe/{video}.log",
    priority: 40
    conda:
        "../envs/speech.yaml"
    threads: settings["hardware"]["threads"]
    resources:
        gpu=gpus("transcript"),
    params:
        run=run_context("transcript"),
    message:
        "{wildcards.video}: transcribing"
    script:
        "../scripts/transcribe.py"


rule find_speakers:
    input:
        fingerprint=fingerprint("speakers"),
        source=downloaded,
        media="results/{video}/media.json",
    output:
        speakers=update("results/{video}/speakers.json"),
    log:
        "logs/find_speakers/{video}.log",
    priority: 40
    conda:
        "../envs/speech.yaml"
    threads: settings["hardware"]["threads"]
    params:
        run=run_context("speakers"),
    message:
        "{wildcards.video}: finding who speaks when"
    script:
        "../scripts/find_speakers.py"


rule write_subtitles:
    input:
        fingerprint=fingerprint("subtitles"),
        media="results/{video}/media.json",
        transcript="results/{video}/transcript.json",
        speakers=optional("subtitles", "speakers"),
    output:
        srt="results/{video}/transcript.srt",
        vtt="results/{video}/transcript.vtt",
        txt="results/{video}/transcript.txt",
        md="results/{video}/transcript.md",
    log:
        "logs/write_subtitles/{video}.log",
    priority: 50
    conda:
        "../envs/speech.yaml"
    params:
        run=run_context("subtitles"),
    message:
        "{wildcards.video}: writing subtitles"
    script:
        "../scripts/write_subtitles.py"
