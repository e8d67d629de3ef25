"""The table of stages: from it targets, fingerprints, job records and documentation derive.

To add a stage: a row here, a rule in `rules/`, a script in `scripts/` (CONTRIBUTING.md).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One step from a video to an artifact.

    name: also the name of its sidecar and job record.
    rule: the Snakemake rule, the script and the log folder.
    version: raised when a change of the code changes what the stage makes.
    artifacts: paths below `results/<video>/`; `{video}` stands for the video's id;
        a trailing `/` marks a folder.
    settings: the config sections (or single keys) that the artifact depends on.
    later: single settings that joined the stage after a release: left out of the fingerprint at
        their default, so that what was made before stays current.
    before: the same at another value than the default: the one at which the stage makes what it
        made before it knew the setting.
    models: the settings above that name a model: their fingerprint holds what is in
        the file, not where it lies.
    in_process: the settings above that only an engine in the job's own process reads: left out of
        the fingerprint where a server has the model (`endpoint`).
    upstream: the stages whose artifacts this one reads.
    optional: those of them that it can do without: read where the setting `stages` asks for them
        and, where a setting is named here, that holds the stage's name in braces ({onscreen}).
    temporary: deleted when nothing needs it any more, so no manifest lists it.
    can_fail: where its job fails, its artifact says why (`failure`), and the film goes on without;
        the next run tries it again (`library/failed_stages.py`).
    cached: kept in the artifact cache, since making it costs more than keeping it.
    urls: only for videos whose source is a URL.
    gpu: asks the scheduler for a GPU where there is one.
    packages: the distributions whose versions the job record and the manifest name.
    items: what its progress counts.
    """

    name: str
    rule: str
    version: int
    artifacts: tuple[str, ...]
    settings: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    in_process: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    optional: Mapping[str, str | None] = field(default_factory=dict)
    temporary: bool = False
    can_fail: bool = False
    cached: bool = True
    urls: bool = False
    gpu: bool = False
    packages: tuple[str, ...] = ()
    items: str = "items"

    @property
    def endpoint(self) -> str | None:
        """The setting that names a server which has the stage's model; None: it has no model, or
        one that runs only here."""
        section = self.models[0].partition(".")[0] if self.models else ""
        setting = f"{section}.endpoint"
        return setting if {section, setting} & {*self.settings} else None

    def reads(self, name: str, made: Collection[str], setting: Callable[[str], Any]) -> bool:
        """Whether the stage reads the artifacts of one that is upstream of it.

        made: the stages that the setting `stages` asks for. setting: gives a setting by its
        dotted name.
        """
        if name not in self.optional:
            return True
        where = self.optional[name]
        return name in made and (where is None or f"{{{name}}}" in setting(where))


_SOUND = ("audio.track", "audio.undecodable")
_VOICES = tuple(
    f"speakers.{name}"
    for name in ("count", "threshold", "min_seconds", "segmentation_model", "embedding_model")
)
_CUES = tuple(
    f"subtitles.{name}"
    for name in ("max_chars", "max_lines", "max_cps", "min_seconds", "max_seconds")
)
_ANSWERING = ("text_model.language", "text_model.thinking", "text_model.endpoint")
# Not text_model.language: what to translate into is said by `translations.languages`.
_TRANSLATING = tuple(
    f"text_model.{name}"
    for name in ("endpoint", "repo_id", "model", "max_tokens", "context", "seed", "thinking")
)
_HEARING = tuple(
    f"transcription.{name}"
    for name in (
        *("task", "hotwords", "multilingual", "language_detection_segments"),
        *("no_speech_threshold", "log_prob_threshold", "compression_ratio_threshold"),
        *("hallucination_silence_threshold", "repetition_penalty", "no_repeat_ngram_size"),
        *("suppress_tokens", "vad_threshold", "vad_min_silence", "vad_pad"),
        *("vad_method", "vad_level", "implausible", "endpoint"),
    )
)
_HEARING_HERE = tuple(
    f"transcription.{name}"
    for name in (
        *("compute_type", "beam_size", "batch_size", "condition_on_previous_text", "task"),
        *("multilingual", "language_detection_segments", "no_speech_threshold"),
        *("log_prob_threshold", "compression_ratio_threshold", "hallucination_silence_threshold"),
        *("repetition_penalty", "no_repeat_ngram_size", "suppress_tokens", "vad_method"),
    )
)

_TABLE = (
    Stage(
        name="source",
        rule="fetch_source",
        version=1,
        artifacts=("source.json",),  # the film lies beside it: its extension is known only then
        urls=True,
        cached=False,
        packages=("yt-dlp",),
    ),
    Stage(
        name="media",
        rule="probe_media",
        version=1,
        artifacts=("media.json",),
        settings=("source.digest",),
        upstream=("source",),
        packages=("av",),
    ),
    Stage(
        name="audio",
        rule="extract_audio",
        version=1,
        artifacts=("audio.wav",),
        settings=("audio",),
        later=("audio.mix", "audio.undecodable"),
        upstream=("source", "media"),
        temporary=True,
        cached=False,
        packages=("ffmpeg-python",),
    ),
    Stage(
        name="transcript",
        rule="transcribe",
        version=1,
        artifacts=("transcript.json",),
        settings=("transcription",),
        later=_HEARING,
        before={"transcription.vad_method": "filter", "transcription.multilingual": False},
        models=("transcription.model",),
        in_process=_HEARING_HERE,
        upstream=("audio",),
        gpu=True,
        packages=("faster-whisper", "ctranslate2"),
        items="s of sound",
    ),
    Stage(
        name="speakers",
        rule="find_speakers",
        version=1,
        artifacts=("speakers.json",),
        settings=(*_SOUND, "audio.mix", *_VOICES),
        models=("speakers.segmentation_model", "speakers.embedding_model"),
        # Not the stage audio, whose sound is gone by now in libraries that were finished before
        # this stage was: made again, it would have the transcript made again.
        upstream=("source", "media"),
        can_fail=True,
        packages=("sherpa-onnx",),
        items="s of sound",
    ),
    Stage(
        name="subtitles",
        rule="write_subtitles",
        version=3,
        artifacts=("transcript.srt", "transcript.vtt", "transcript.txt", "transcript.md"),
        settings=("subtitles",),
        upstream=("media", "transcript", "speakers"),
        optional={"speakers": None},
        packages=("pysubs2", "budoux"),
    ),
    Stage(
        name="translations",
        rule="translate_transcript",
        version=1,
        artifacts=("translations.json",),
        settings=("translations", "transcription.task", *_TRANSLATING),
        models=("text_model.model",),
        in_process=("text_model.repo_id",),
        upstream=("transcript",),
        gpu=True,
        packages=("llama-cpp-python",),
        items="lines",
    ),
    Stage(
        name="translated_subtitles",
        rule="write_translations",
        version=1,
        artifacts=("translations/",),
        settings=("subtitles",),
        upstream=("media", "transcript", "translations"),
        cached=False,
        packages=("pysubs2", "budoux"),
    ),
    Stage(
        name="scenes",
        rule="detect_scenes",
        version=1,
        artifacts=("scenes.json",),
        settings=("scenes",),
        upstream=("source", "media"),
        packages=("scenedetect-headless",),
        items="frames",
    ),
    Stage(
        name="keyframes",
        rule="extract_keyframes",
        version=1,
        artifacts=("keyframes.json", "keyframes/"),
        settings=("keyframes",),
        upstream=("source", "media", "scenes"),
        packages=("av", "opencv-python-headless"),
        items="scenes",
    ),
    Stage(
        name="onscreen",
        rule="read_onscreen_text",
        version=1,
        artifacts=("onscreen.json",),
        # Not onscreen.models: where the models lie, which are known by their content.
        settings=tuple(
            f"onscreen.{name}"
            for name in ("languages", "min_confidence", "every_seconds", "max_resolution")
        ),
        upstream=("source", "media", "keyframes"),
        packages=("rapidocr", "onnxruntime"),
        items="frames",
    ),
    Stage(
        name="scenedesc",
        rule="describe_scenes",
        version=1,
        artifacts=("{video}.scenedesc.msgpack",),
        settings=("description",),
        later=("description.endpoint",),
        models=("description.model", "description.mmproj"),
        in_process=tuple(
            f"description.{name}" for name in ("repo_id", "mmproj", "handler", "context")
        ),
        upstream=("media", "keyframes", "onscreen"),
        optional={"onscreen": "description.prompt"},
        gpu=True,
        packages=("llama-cpp-python",),
        items="keyframes",
    ),
    Stage(
        name="embeddings",
        rule="embed_moments",
        version=1,
        artifacts=("embeddings.msgpack",),
        settings=("embeddings.text_model", "embeddings.image_model"),
        models=("embeddings.text_model", "embeddings.image_model"),
        upstream=("transcript", "keyframes", "scenedesc"),
        packages=("onnxruntime", "tokenizers"),
        items="moments",
    ),
    Stage(
        name="segments",
        rule="build_segments",
        version=1,
        artifacts=("segments.json",),
        settings=("segments",),
        upstream=("media", "transcript", "scenes"),
    ),
    Stage(
        name="scores",
        rule="score_segments",
        version=1,
        artifacts=("scores.json",),
        settings=("text_model", "scores"),
        later=_ANSWERING,
        models=("text_model.model",),
        in_process=("text_model.repo_id",),
        upstream=("onscreen", "scenedesc", "segments"),
        optional={"onscreen": "scores.prompt"},
        gpu=True,
        packages=("llama-cpp-python",),
        items="segments",
    ),
    Stage(
        name="highlights",
        rule="select_highlights",
        version=1,
        artifacts=("highlights.json",),
        settings=("highlights",),
        upstream=("segments", "scores"),
    ),
    Stage(
        name="clips",
        rule="cut_clips",
        version=1,
        artifacts=("clips.json", "clips/"),
        settings=("clips", *_SOUND, *_CUES),
        later=(*_SOUND, *_CUES, "clips.hdr"),
        upstream=("source", "media", "transcript", "keyframes", "highlights"),
        cached=False,
        packages=("av", "pysubs2"),
        items="clips",
    ),
    Stage(
        name="narrative",
        rule="write_narrative",
        version=1,
        artifacts=("narrative.json",),
        settings=("text_model", "narrative"),
        later=_ANSWERING,
        models=("text_model.model",),
        in_process=("text_model.repo_id",),
        upstream=("onscreen", "scenedesc", "segments", "scores"),
        optional={"onscreen": "narrative.prompt"},
        gpu=True,
        packages=("llama-cpp-python",),
        items="beats",
    ),
    Stage(
        name="chapters",
        rule="write_chapters",
        version=1,
        artifacts=("chapters.ffmetadata", "chapters.txt"),
        settings=("chapters",),
        upstream=("media", "scenes", "scenedesc", "narrative"),
    ),
    Stage(
        name="trailer",
        rule="assemble_trailer",
        version=1,
        artifacts=("trailer.mp4", "trailer.otio", "trailer.edl"),
        settings=("trailer", *_SOUND),
        later=_SOUND,
        upstream=("source", "media", "scenes", "narrative"),
        cached=False,
        packages=("opentimelineio", "otio-cmx3600-adapter"),
        items="s of film",
    ),
)

_MANIFEST = Stage(
    name="manifest",
    rule="write_manifest",
    version=1,
    artifacts=("manifest.json",),
    settings=("stages",),
    cached=False,
    upstream=tuple(stage.name for stage in _TABLE if not stage.temporary),
)

STAGES: dict[str, Stage] = {stage.name: stage for stage in (*_TABLE, _MANIFEST)}

TARGETS = {
    "transcripts": ("transcript", "subtitles"),
    "speakers": ("speakers",),
    "translations": ("translations", "translated_subtitles"),
    "scenes": ("scenes", "keyframes"),
    "onscreen": ("onscreen",),
    "descriptions": ("scenedesc",),
    "embeddings": ("embeddings",),
    "highlights": ("highlights",),
    "clips": ("clips",),
    "narrative": ("narrative",),
    "chapters": ("chapters",),
    "trailer": ("trailer",),
    "catalog": (),
}
"""What can be asked for by name, and in the setting `stages`: the stages it stands for. The catalog
is of all videos, so it is no stage of one."""


def chosen(targets: Collection[str]) -> set[str]:
    """The stages that make these targets: theirs, all before them, and the manifest."""
    return {"manifest", *_with_upstream(stage for name in targets for stage in TARGETS[name])}


def named_stages(named: Collection[str]) -> set[str]:
    """The stages that make what a command line names, and all before them.

    named: targets, rules and files of videos; others are nothing here.
    """
    found = [stage for name in named for stage in TARGETS.get(name, _makers(name))]
    return _with_upstream(found)


def named_videos(named: Collection[str]) -> list[str] | None:
    """The ids of the videos whose files a command line names; None where it names other things,
    which may ask for any video."""
    found = [re.match("results/([^/]+)/.", name) for name in named]
    ids = [match[1] for match in found if match]
    return list(dict.fromkeys(ids)) if ids and len(ids) == len(found) else None


def _with_upstream(names: Iterable[str]) -> set[str]:
    found = set(names)
    for stage in reversed(STAGES.values()):  # in the table each comes after what it is made from
        if stage.name in found and stage.name != "manifest":
            found.update(set(stage.upstream) - set(stage.optional))
    return found


def _makers(name: str) -> list[str]:
    """The stages whose rule or artifact a command line calls this."""
    return [
        stage.name
        for stage in STAGES.values()
        # `{video}` in an artifact's name: any.
        if name == stage.rule
        or name.rstrip("/").endswith(
            tuple(path.replace("{video}", "").strip("/") for path in stage.artifacts)
        )
    ]


def stages_of(url: bool) -> list[Stage]:
    """The stages of a video, in the table's order; url: whether its source is one."""
    return [stage for stage in STAGES.values() if url or not stage.urls]


def downstream(name: str) -> list[str]:
    """The stage and everything made from it, in the table's order. Not what reads it only where a
    setting names it."""
    found = [name]
    for stage in STAGES.values():
        if {each for each in stage.upstream if stage.optional.get(each) is None} & set(found):
            found.append(stage.name)
    return found


def artifact_paths(stage: Stage, video: str) -> list[str]:
    """The stage's artifacts of one video, as paths below `results/<video>/`."""
    return [artifact.replace("{video}", video) for artifact in stage.artifacts]


def forced_stages(everything: bool, named: Collection[str]) -> set[str]:
    """The stages whose artifacts a run has to compute, whatever is known of them.

    everything: of all stages (-F). named: the rules and files whose jobs are forced (-R, -f):
    their stages, and everything made from them.
    """
    if everything:
        return set(STAGES)
    return {stage for name in named for maker in _makers(name) for stage in downstream(maker)}
