"""Checks of a configuration that no type can make: names that stand for nothing, and settings that
contradict each other. Better said before a run than by each video's job."""

from collections.abc import Collection
from typing import Any

from reelmake.foundation.errors import UserError
from reelmake.foundation.text import did_you_mean, nearest
from reelmake.library import reading_languages
from reelmake.library.model_profiles import PROFILES
from reelmake.library.stages import STAGES, TARGETS, chosen


def check_names(config: dict[str, Any]) -> None:
    """Raise UserError for what the setting `stages` names and nothing makes, for a profile that
    there is not, and for languages that are not called by their codes."""
    profile = config["hardware"]["profile"]
    if profile is not None and str(profile) not in PROFILES:
        raise UserError(
            f"config: hardware.profile: there is no '{profile}'"
            f"{did_you_mean(str(profile), PROFILES)}; name one of {', '.join(PROFILES)}, or null"
        )
    read = config["onscreen"]["languages"]
    for name in read if isinstance(read, list) else ():
        if isinstance(name, str) and name in reading_languages.CALLED:
            raise UserError(
                f"config: onscreen.languages: RapidOCR calls {name} "
                f"'{reading_languages.CALLED[name]}'; write that"
            )
    into = config["translations"]["languages"]
    for name in into if isinstance(into, list) else [into]:
        if isinstance(name, str) and (code := _code_of(name)) is not None:
            raise UserError(f"config: translations.languages: {name} is '{code}' there")
    wanted = config["stages"]
    for name in wanted if isinstance(wanted, list) else ():
        if isinstance(name, str) and name not in TARGETS:
            # `transcript`, which is a stage: what makes it for people is `transcripts`.
            makers = (target for target, stages in TARGETS.items() if name in stages)
            near = next(makers, nearest(name, TARGETS, 0.7))
            hint = f" (did you mean '{near}'?)" if near else ""
            raise UserError(
                f"config: stages: there is no '{name}'{hint}; name any of {', '.join(TARGETS)}"
            )


def _code_of(name: str) -> str | None:
    """The ISO 639 code of a language that is called by its name; None for what is no name."""
    if len(name.partition("-")[0]) < 4:  # a code, right or wrong
        return None
    import langcodes

    try:
        return str(langcodes.find(name))
    except LookupError:
        return None


def check(config: dict[str, Any]) -> None:
    """Raise UserError for settings that contradict each other. config: complete, of right types."""
    if set(config["stages"]) <= {"translations", "catalog"}:
        check_asked(config, config["stages"])
    if config["stages"] == ["catalog"]:
        raise UserError(
            "config: stages: catalog alone makes nothing of a video; name what it should hold, "
            "too, or bring it up to date with what is there: snakemake catalog"
        )
    for name in ("except", "stage_ttl"):
        for stage in config["cache"][name]:
            if stage not in STAGES:
                hint = did_you_mean(stage, STAGES, 0.7)
                raise UserError(f"config: cache.{name}: there is no stage '{stage}'{hint}")
    for name, what in (("segments", "segment"), ("subtitles", "subtitle")):
        shortest, longest = (config[name][key] for key in ("min_seconds", "max_seconds"))
        if shortest > longest:
            raise UserError(
                f"config: no {what} can be: {name}.min_seconds ({shortest:g}) is more than "
                f"{name}.max_seconds ({longest:g}); correct one of them"
            )
    for name in ("scores", "narrative"):
        if not any(place in config[name]["prompt"] for place in ("{text}", "{scenes}")):
            raise UserError(
                f"config: {name}.prompt has neither {{text}} nor {{scenes}}, so the model would be "
                "told nothing of the film; put them where it should read what is said and seen"
            )
    made = chosen(config["stages"])
    for name, stage in (
        *(("description", "scenedesc"), ("scores", "scores"), ("narrative", "narrative")),
    ):
        asks = "{onscreen}" in config[name]["prompt"] and stage in made
        if asks and "onscreen" not in made:
            raise UserError(
                f"config: {name}.prompt has {{onscreen}}, and stages has no onscreen, which reads "
                "the text in the picture; add it there, or take it out of the prompt"
            )
    lacking = reading_languages.needing_models(config["onscreen"]["languages"])
    if lacking and config["onscreen"]["models"] is None and "onscreen" in made:
        files = ", ".join(map(reading_languages.model_file, lacking))
        raise UserError(
            f"config: onscreen.languages: {', '.join(lacking)} can't be read by the model that "
            f"comes with RapidOCR; put {files} from its releases (docs/onscreen.md says where) "
            "into a folder and name that in onscreen.models"
        )
    for place in ("{language}", "{lines}"):
        if place not in config["translations"]["prompt"]:
            raise UserError(
                f"config: translations.prompt has no {place}, so the model would not be told "
                "what to translate, or into what; put it where it should read that"
            )
    if config["transcription"]["endpoint"] and config["transcription"]["task"] != "transcribe":
        raise UserError(
            "config: transcription.task: a server (transcription.endpoint) is asked to transcribe "
            "only; set it to transcribe, or the endpoint to null"
        )
    for name in ("description", "text_model"):
        context, answer = (config[name][key] for key in ("context", "max_tokens"))
        if answer >= context:
            raise UserError(
                f"config: {name}.max_tokens ({answer}) leaves no room for a question in "
                f"{name}.context ({context}); make the context larger"
            )


def check_asked(config: dict[str, Any], named: Collection[str]) -> None:
    """Raise UserError where translations are asked for by name, and into no language.

    named: targets, or stages.
    """
    if "translations" in named and not config["translations"]["languages"]:
        raise UserError(
            "translations: into which languages? Name some, such as "
            "--config 'translations={languages: [de]}'"
        )
