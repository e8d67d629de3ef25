"""The film told in short: what the text model is asked about each beat, and what is kept of its
answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from reelmake.editing import prompts
from reelmake.editing.prompts import Answer, AnswerForm, Question

LONGEST_TITLE, LONGEST_WHY = 80, 300
"""Characters."""

Chosen = Sequence[tuple[str, Mapping[str, Any]]]
"""Beats with their segments of segments.json, as `beats.choose` gives them."""


def questions(
    chosen: Chosen,
    seen: Mapping[int, list[dict[str, str]]],
    template: str,
    language: str | None = None,
    onscreen: Mapping[int, Sequence[str]] | None = None,
) -> list[Question]:
    """The question about each beat.

    seen: the descriptions by scene. template: the setting `narrative.prompt`. language: the ISO
    639 code of that to answer in. onscreen: the lines of text in
    the picture by the id of a segment.
    """
    return [
        Question.about(
            template,
            segment,
            seen,
            beat,
            language,
            (onscreen or {}).get(segment["id"], ()),
        )
        for beat, segment in chosen
    ]


def beats(
    chosen: Chosen, scores: Mapping[int, float | None], answers: Sequence[Answer | None]
) -> list[dict[str, Any]]:
    """The beats as narrative.json lists them.

    scores: by the id of a segment. A beat without an answer has no words: what it is and where is
    known without.
    """
    return [
        {
            "beat": beat,
            "id": segment["id"],
            "start": segment["start"],
            "end": segment["end"],
            "score": scores.get(segment["id"]),
            **(answer or {"title": None, "why": None}),
        }
        for (beat, segment), answer in zip(chosen, answers, strict=True)
    ]


def understood(answer: Answer) -> Answer:
    """What is kept of a model's answer: {"title", "why"}, each on one line.

    Raises ValueError for one that is none.
    """
    title = prompts.one_line(answer["title"], LONGEST_TITLE)
    if not title:
        raise ValueError("a title without a letter")
    return {"title": title, "why": prompts.one_line(answer["why"], LONGEST_WHY)}


FORM = AnswerForm(
    {
        "type": "object",
        "properties": {"title": {"type": "string"}, "why": {"type": "string"}},
        "required": ["title", "why"],
        "additionalProperties": False,
    },
    understood,
)
