"""What is said, and by whom: from the sound to transcript and subtitles, in other languages, too.

in: the video, results/{video}/media.json
out: results/{video}/audio.wav (temporary), transcript.json, speakers.json, .srt, .vtt, .txt, .md,
    translations.json, translations/
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


rule translate_transcript:
    input:
        fingerprint=fingerprint("translations"),
        transcript="results/{video}/transcript.json",
    output:
        translations=update("results/{video}/translations.json"),
    log:
        "logs/translate_transcript/{video}.log",
    priority: 60
    conda:
        "../envs/vision.yaml"
    threads: settings["hardware"]["threads"]
    resources:
        gpu=gpus("translations"),
    params:
        run=run_context("translations"),
    message:
        "{wildcards.video}: translating"
    script:
        "../scripts/translate_transcript.py"


rule write_translations:
    input:
        fingerprint=fingerprint("translated_subtitles"),
        media="results/{video}/media.json",
        transcript="results/{video}/transcript.json",
        translations="results/{video}/translations.json",
    output:
        folder=directory("results/{video}/translations"),
    log:
        "logs/write_translations/{video}.log",
    priority: 70
    conda:
        "../envs/speech.yaml"
    params:
        run=run_context("translated_subtitles"),
    message:
        "{wildcards.video}: writing subtitles in other languages"
    script:
        "../scripts/write_translations.py"
