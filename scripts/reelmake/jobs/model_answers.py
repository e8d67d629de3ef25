"""What the text model and the vision model answer, item by item, within a job.

Each answer is journaled as soon as it is there: what an earlier job asked is not asked again.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, TypeVar

from reelmake.editing.prompts import Answer, AnswerForm, Question
from reelmake.foundation import artifact_files, resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.resumable_items import Items
from reelmake.jobs import gpus
from reelmake.jobs.job import Job
from reelmake.library.stages import STAGES
from reelmake.models import model_files
from reelmake.models.text_model import TextModel
from reelmake.models.vision_model import VisionModel

MANY = 4
"""Questions. A model that fails on so many, and on all that it was asked, can't answer at all; a
short film may have one, on which any model may fail."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Described = dict[str, Any]
"""{"record": of keyframes.json, "description": the model's answer, or None where it failed}"""


def ask(
    this: Job, questions: Sequence[Question], form: AnswerForm, needed: bool
) -> list[Answer | None]:
    """The text model's answers, in the order of the questions.

    None where the model failed, or was not asked because nothing is said or seen. needed: whether
    it is an error that the model fails on all of them, where there are MANY. Raises StageError.
    """
    asked = [question for question in questions if not question.is_empty]
    items = _Questions(this, asked, form)
    what = STAGES[this.stage].items if needed else None
    answers = _finish(this, items, lambda answer: answer is None, what, MANY)
    found = iter(answers)
    return [None if question.is_empty else next(found) for question in questions]


def describe(this: Job, records: Sequence[dict[str, Any]], folder: Path) -> list[Described]:
    """What the vision model sees in each keyframe. Raises StageError where it fails on all.

    records: of keyframes.json, whose files lie in `folder`.
    """
    pictures = _Pictures(this, records, folder)
    return _finish(this, pictures, lambda result: result["description"] is None, "frames")


def _finish(
    this: Job,
    items: Items[Item, Result],
    has_failed: Callable[[Result], bool],
    needed: str | None,
    least: int = 1,
) -> list[Result]:
    """needed: what the items are called where it is an error that the model fails on all of them,
    if they are so many at least."""
    with this.journal() as journal:
        results = resumable_items.finish(items, journal, this.item, this.progress)
        failed = sum(has_failed(result) for result in results)
        this.record["items_failed"] = failed
        if needed and len(results) >= least and failed == len(results):
            journal.close(done=True)  # the next run asks the model again
            raise StageError(
                f"the model {next(iter(this.run.models.values()))} failed on all {failed} "
                f"{needed}; the log says how: {this.record['log']}",
                kind="engine",
            )
    return results


class _Questions(Items[Question, Answer | None]):
    def __init__(self, this: Job, questions: Sequence[Question], form: AnswerForm):
        self._this, self._questions, self._form = this, questions, form

    def following(self, results: Sequence[Answer | None]) -> Question | None:
        return self._questions[len(results)] if len(results) < len(self._questions) else None

    def count(self, results: Sequence[Answer | None]) -> tuple[int, int]:
        return len(results), len(self._questions)

    def identity(self, item: Question) -> str:
        return hashlib.sha256(json.dumps(astuple(item)).encode()).hexdigest()

    def entry(self, item: Question, result: Answer | None) -> dict[str, Any]:
        return {"question": self.identity(item), "answer": result}

    def read_entry(self, entry: dict[str, Any]) -> tuple[str, Answer | None]:
        return entry["question"], entry["answer"]

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[Question], Answer | None]]:
        this, run = self._this, self._this.run
        path = model_files.local_file("text_model.model", run.models, run.repo_id)
        with (
            gpus.one(this, run.device, run.gpus_at_once),
            TextModel(path, this.settings, run.gpu_layers, run.threads) as model,
        ):
            yield lambda question: self._answer(model, question)

    def _answer(self, model: TextModel, question: Question) -> Answer | None:
        try:
            answer = model.ask(question, self._form.schema)
            # llama-cpp-python takes any JSON where it can't make a grammar of a schema.
            if not artifact_files.is_valid(answer, self._form.schema):
                raise ValueError("it is not what was asked for")
            return self._form.understood(answer)
        except ValueError as error:
            shown = (question.sentences or question.scenes)[0]
            print(f"no answer about '{shown}': {error}")
            return None


class _Pictures(Items[dict[str, Any], Described]):
    def __init__(self, this: Job, records: Sequence[dict[str, Any]], folder: Path):
        self._this, self._records, self._folder = this, records, folder

    def following(self, results: Sequence[Described]) -> dict[str, Any] | None:
        return self._records[len(results)] if len(results) < len(self._records) else None

    def count(self, results: Sequence[Described]) -> tuple[int, int]:
        return len(results), len(self._records)

    def identity(self, item: dict[str, Any]) -> str:
        return json.dumps(item)

    def entry(self, item: dict[str, Any], result: Described) -> Described:
        return result

    def read_entry(self, entry: Described) -> tuple[str, Described]:
        return self.identity(entry["record"]), entry

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[dict[str, Any]], Described]]:
        this, run = self._this, self._this.run
        model = model_files.local_file("description.model", run.models, run.repo_id)
        encoder = model_files.local_file("description.mmproj", run.models, run.repo_id)
        with (
            gpus.one(this, run.device, run.gpus_at_once),
            VisionModel(model, encoder, this.settings, run.gpu_layers, run.threads) as seeing,
        ):
            yield lambda record: self._describe(seeing, record)

    def _describe(self, seeing: VisionModel, record: dict[str, Any]) -> Described:
        description = None
        try:
            answer = seeing.describe((self._folder / record["file"]).read_bytes())
            "".join(answer.values()).encode()  # half of a surrogate pair can't be written
            description = answer
        except ValueError as error:
            print(f"{record['file']}: no description: {error}")
        return {"record": record, "description": description}
