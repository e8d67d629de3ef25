"""What the text model and the vision model answer, group by group, within a job; or, where a server
has the model, one by one, several in work at a time.

Answers are journaled as soon as they are there: what an earlier job asked is not asked again.
"""

import collections
import contextlib
import hashlib
import itertools
import json
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reelmake.editing import onscreen_texts, prompts
from reelmake.editing.onscreen_texts import Lines
from reelmake.editing.prompts import Answer, AnswerForm, Asking
from reelmake.foundation import artifact_files, resumable_items
from reelmake.foundation.errors import StageError
from reelmake.foundation.resumable_items import Items
from reelmake.jobs import answer_groups as groups
from reelmake.jobs import gpus
from reelmake.jobs.job import Job
from reelmake.library import fingerprints
from reelmake.library.stages import STAGES
from reelmake.models import model_files, text_model, vision_model
from reelmake.models.endpoint import Address
from reelmake.models.served_models import ServedTextModel, ServedVisionModel
from reelmake.models.text_model import TextModel
from reelmake.models.vision_model import VisionModel

if TYPE_CHECKING:
    import asyncio

AT_ONCE = 8
"""Answers that are decoded together on a GPU; more than 16 gain little."""
SHOWN = 200
"""Characters of a line that the log says."""
MANY = 4
"""Questions. A model that fails on so many, and on all that it was asked, can't answer at all; a
short film may have one, on which any model may fail."""

Item = TypeVar("Item")
Result = TypeVar("Result")
AnyAsking = TypeVar("AnyAsking", bound=Asking)
Described = dict[str, Any]
"""{"record": of keyframes.json, "description": the model's answer, or None where it failed}"""


def ask(
    this: Job,
    questions: Sequence[AnyAsking],
    form: AnswerForm | Callable[[AnyAsking], AnswerForm],
    needed: bool,
) -> list[Answer | None]:
    """The text model's answers, in the order of the questions.

    None where the model failed, or was not asked because nothing is said or seen. form: of each
    answer, or what gives that of a question, one object for those that have the same. needed:
    whether it is an error that the model fails on all of them, where there are MANY. Raises
    StageError.
    """
    asked = [question for question in questions if not question.is_empty]
    items = _Questions(this, asked, form if callable(form) else lambda _: form)
    what = STAGES[this.stage].items if needed else None
    answers = _finish(this, items, lambda answer: answer is None, what, MANY)
    found = iter(answers)
    return [None if question.is_empty else next(found) for question in questions]


def describe(
    this: Job, records: Sequence[dict[str, Any]], folder: Path, onscreen: Lines = ()
) -> list[Described]:
    """What the vision model sees in each keyframe. Raises StageError where it fails on all.

    records: of keyframes.json, whose files lie in `folder`. onscreen: what is written in the
    picture, which the prompt may name.
    """
    pictures = _Pictures(this, records, folder, onscreen)
    return _finish(this, pictures, lambda result: result["description"] is None, "frames")


def named(this: Job) -> dict[str, Any]:
    """What an artifact says of the model: its name, and that a server had it, if one did."""
    name = fingerprints.model_name(this.settings["model"])
    return {"model": name} | ({"endpoint": True} if this.settings["endpoint"] else {})


def _finish(
    this: Job,
    items: "_InGroups[Any, Result]",
    has_failed: Callable[[Result], bool],
    needed: str | None,
    least: int = 1,
) -> list[Result]:
    """needed: what the items are called where it is an error that the model fails on all of them,
    if they are so many at least."""
    with this.journal() as journal:
        items.at_once = groups.size(journal, lambda: _at_once(this) if items.all else 1)
        found = resumable_items.finish(items, journal, this.item, this.progress)
        results = [result for group in found for result in group]
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


def _at_once(this: Job) -> int:
    """How many answers are decoded together in this job."""
    run = this.run
    if run.endpoint:
        return 1
    if isinstance(run.answers_at_once, int):
        return run.answers_at_once
    # A GPU needs about as long for one token as for eight; a CPU for eight of a small model not
    # much less than eight times as long. No engine is asked: it must not be imported yet.
    return AT_ONCE if run.gpu_layers and gpus.uses_gpu(run.device) else 1


class _InGroups(Items[tuple[Item, ...], list[Result]]):
    """Items that a model answers in groups, cut by their places in the film.

    all: the items. at_once: how many a group has; set before the first is asked for.
    """

    at_once = 1

    def __init__(self, this: Job, all_items: Sequence[Item]):
        self._this, self.all = this, all_items
        self._place = 0
        self._waiting: collections.deque[asyncio.Task[dict[str, Any]]] = collections.deque()

    def following(self, results: Sequence[list[Result]]) -> tuple[Item, ...] | None:
        done = self._place = sum(map(len, results))
        return tuple(self.all[done : done + self.at_once]) or None

    def count(self, results: Sequence[list[Result]]) -> tuple[int, int]:
        return sum(map(len, results)), len(self.all)

    def identity(self, item: tuple[Item, ...]) -> Hashable:
        return tuple(map(self.identity_of, item))

    def entry(self, item: tuple[Item, ...], result: list[Result]) -> Any:
        return groups.entry([self.entry_of(*each) for each in zip(item, result, strict=True)])

    def read_entry(self, entry: Any) -> tuple[Hashable, list[Result]]:
        read = [self.read_entry_of(each) for each in groups.entries(entry)]
        return tuple(identity for identity, _ in read), [result for _, result in read]

    def is_begun(self) -> bool:
        return bool(self._waiting)

    def _ahead(
        self,
        begin: Callable[[Item], "asyncio.Task[dict[str, Any]]"],
        finish: Callable[[Item, "asyncio.Task[dict[str, Any]]"], Result],
    ) -> Callable[[tuple[Item, ...]], list[Result]]:
        """What gives the result of an item that a server is asked about, in their order, while it
        works on the following ones: `requests_at_once` are in work, until a signal comes."""
        following = itertools.islice(self.all, self._place, None)
        waiting, this = self._waiting, self._this

        def work(group: tuple[Item, ...]) -> list[Result]:
            while not waiting or not (
                this.is_stopping or len(waiting) == this.run.requests_at_once
            ):
                item = next(following, None)
                if item is None:
                    break
                waiting.append(begin(item))
            return [finish(group[0], waiting.popleft())]

        return work

    def _server(self) -> tuple[Address, str]:
        """The server that has the model, and the model's name."""
        run, section = self._this.run, STAGES[self._this.stage].models[0].partition(".")[0]
        assert run.endpoint is not None
        at = Address(section, run.endpoint, run.requests_at_once, run.request_timeout)
        return at, next(iter(run.models.values()))

    def say(self, at_once: int) -> None:
        """Record how many are decoded together, where they are: memory may have been short."""
        if self.at_once > 1:
            self._this.record["answers_at_once"] = at_once

    @abstractmethod
    def identity_of(self, item: Item) -> str:
        """What tells an item from others."""

    @abstractmethod
    def entry_of(self, item: Item, result: Result) -> Any:
        """What the journal keeps of it."""

    @abstractmethod
    def read_entry_of(self, entry: Any) -> tuple[str, Result]:
        """The identity and the result of a journaled item."""


class _Questions(_InGroups[AnyAsking, Answer | None]):
    def __init__(
        self,
        this: Job,
        questions: Sequence[AnyAsking],
        form: Callable[[AnyAsking], AnswerForm],
    ):
        super().__init__(this, questions)
        self._form = form
        self._until = list(itertools.accumulate((each.items for each in questions), initial=0))

    def count(self, results: Sequence[list[Answer | None]]) -> tuple[int, int]:
        return self._until[sum(map(len, results))], self._until[-1]

    def identity_of(self, item: AnyAsking) -> str:
        fields = astuple(cast(Any, item))
        return hashlib.sha256(json.dumps(fields).encode()).hexdigest()

    def entry_of(self, item: AnyAsking, result: Answer | None) -> dict[str, Any]:
        return {"question": self.identity_of(item), "answer": result}

    def read_entry_of(self, entry: dict[str, Any]) -> tuple[str, Answer | None]:
        return entry["question"], entry["answer"]

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[tuple[AnyAsking, ...]], list[Answer | None]]]:
        this, run = self._this, self._this.run
        if run.endpoint:
            with ServedTextModel(*self._server(), this.settings) as served:
                this.record["engines"]["endpoint"] = served.model
                yield self._ahead(
                    lambda question: served.begin(question, *_wanted(self._form(question))),
                    lambda question, task: self._read(question, served.finish(task)),
                )
            return
        path = model_files.local_file("text_model.model", run.models, run.repo_id)
        with (
            gpus.one(this, run.device, run.gpus_at_once),
            text_model.loaded(
                path, this.settings, run.gpu_layers, run.threads, self.at_once
            ) as model,
        ):
            yield lambda group: self._answers(model, group)

    def _answers(self, model: TextModel, group: tuple[AnyAsking, ...]) -> list[Answer | None]:
        of_form: dict[int, list[AnyAsking]] = {}
        for each in group:
            of_form.setdefault(id(self._form(each)), []).append(each)
        found: dict[int, Answer | None] = {}
        for some in of_form.values():
            said = model.answers(some, *_wanted(self._form(some[0])))
            found |= {id(each): self._read(each, its) for each, its in zip(some, said, strict=True)}
        self.say(model.at_once)
        return [found[id(each)] for each in group]

    def _read(self, question: AnyAsking, said: dict[str, Any] | ValueError) -> Answer | None:
        form = self._form(question)
        try:
            if isinstance(said, ValueError):
                raise said
            # llama-cpp-python takes any JSON where it can't make a grammar of a schema.
            if not artifact_files.is_valid(said, form.schema):
                raise ValueError("it is not what was asked for")
            return form.understood(said)
        except ValueError as error:
            print(f"no answer about '{prompts.one_line(question.data[0], SHOWN)}': {error}")
            return None


def _wanted(form: AnswerForm) -> tuple[dict[str, Any], bool]:
    """What a model is told of the form of its answer."""
    return form.schema, form.whole


class _Pictures(_InGroups[dict[str, Any], Described]):
    def __init__(self, this: Job, records: Sequence[dict[str, Any]], folder: Path, onscreen: Lines):
        super().__init__(this, records)
        self._folder, self._onscreen = folder, onscreen

    def identity_of(self, item: dict[str, Any]) -> str:
        return json.dumps(item)

    def entry_of(self, item: dict[str, Any], result: Described) -> Described:
        return result

    def read_entry_of(self, entry: Described) -> tuple[str, Described]:
        return self.identity_of(entry["record"]), entry

    @contextlib.contextmanager
    def worker(self) -> Iterator[Callable[[tuple[dict[str, Any], ...]], list[Described]]]:
        this, run = self._this, self._this.run
        if run.endpoint:
            with ServedVisionModel(*self._server(), this.settings) as served:
                this.record["engines"]["endpoint"] = served.model
                yield self._ahead(
                    lambda record: served.begin(*self._question(record)),
                    lambda record, task: self._described(record, served.finish(task)),
                )
            return
        model = model_files.local_file("description.model", run.models, run.repo_id)
        encoder = model_files.local_file("description.mmproj", run.models, run.repo_id)
        hardware = (run.gpu_layers, run.threads, self.at_once)
        with (
            gpus.one(this, run.device, run.gpus_at_once),
            vision_model.loaded(model, encoder, this.settings, *hardware) as seeing,
        ):
            yield lambda group: self._describe(seeing, group)

    def _describe(self, seeing: VisionModel, group: tuple[dict[str, Any], ...]) -> list[Described]:
        said = seeing.describe(*zip(*map(self._question, group), strict=True))
        self.say(seeing.at_once)
        return [self._described(*each) for each in zip(group, said, strict=True)]

    def _question(self, record: dict[str, Any]) -> tuple[bytes, str]:
        """The picture, and what is asked about it."""
        written = onscreen_texts.at(self._onscreen, record["timestamp"])
        asked = prompts.about_picture(self._this.settings["prompt"], written)
        return (self._folder / record["file"]).read_bytes(), asked

    def _described(self, record: dict[str, Any], said: dict[str, str] | ValueError) -> Described:
        try:
            if isinstance(said, ValueError):
                raise said
            "".join(said.values()).encode()  # half of a surrogate pair can't be written
            return {"record": record, "description": said}
        except ValueError as error:
            print(f"{record['file']}: no description: {error}")
            return {"record": record, "description": None}
