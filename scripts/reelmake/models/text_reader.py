"""Text in pictures, read by RapidOCR: a model finds the lines, another one reads them.

The only module that imports rapidocr. The models that lie in its wheel (PP-OCRv6, small) read all
languages written with Latin letters, Chinese and Japanese. Left to itself, RapidOCR downloads any
other one while a job runs; here each is named by its file, so that nothing is.
"""

import contextlib
import hashlib
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelmake.editing.onscreen_lines import Reading
from reelmake.foundation.errors import StageError
from reelmake.foundation.text import line
from reelmake.library import config
from reelmake.library.reading_languages import model_file, needing_models
from reelmake.models import kept

if TYPE_CHECKING:
    import numpy as np

INCLUDED = ("PP-OCRv6_det_small.onnx", "ch_ppocr_mobile_v2.0_cls_mobile.onnx")
"""The models in the wheel that find lines and turn them upright."""
READS = "PP-OCRv6_rec_small.onnx"
"""The one in the wheel that reads them."""

LARGEST = 2000
"""Pixels of the longer side: RapidOCR makes larger pictures smaller."""
ENLARGED, SMALL = 736, 640
"""Pixels of the shorter side: RapidOCR enlarges pictures to the first to find lines in them. Those
below the second are left as they are: 640 x 360 take a third of the time so, and as many letters
are right (benchmarks/onscreen.py)."""
LOWEST = 12
"""Pixels of the shorter side: no line of text is lower. RapidOCR enlarges smaller pictures, and one
of 1 x 2,000 pixels to 2.7 GB."""


def loaded(
    languages: Sequence[str], folder: str | None, threads: int
) -> "contextlib.AbstractContextManager[TextReader]":
    """What reads text, for the block.

    languages, folder: the settings `onscreen.languages` and `onscreen.models`. threads: of the CPU.
    Raises StageError where a model is not on this machine or can't be loaded.
    """
    readers = reading_models(languages, folder)
    files = [_included(name) for name in (*INCLUDED, READS)] + list(readers.values())
    return kept.model(
        ("text reader", threads), files, lambda: TextReader(files[:2], files[2], readers, threads)
    )


def reading_models(languages: Sequence[str], folder: str | None) -> dict[str, Path]:
    """The files of the models for the languages that the included one can't read.

    Raises StageError for one that is not in the folder, or is not RapidOCR's.
    """
    found = {}
    for language in needing_models(languages):
        name = model_file(language)
        address, digest = _published(language)
        get = f"get {name} from {address} and put it into a folder that onscreen.models names"
        if folder is None:
            raise StageError(
                f"{language} (onscreen.languages) is read by a model of its own, which nobody has "
                f"named: {get}",
                kind="engine",
            )
        path = config.expand(folder) / name
        if not path.is_file():
            raise StageError(
                f"{path} does not exist, and {language} (onscreen.languages) is read by it: {get}",
                kind="engine",
            )
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise StageError(
                    f"{path} is damaged, or not the model that this version of RapidOCR knows: "
                    f"{get}",
                    kind="engine",
                )
        found[language] = path
    return found


class TextReader:
    """Models that find and read lines of text, loaded.

    finding: the files of the models that find lines and turn them. reading: the file of the one
    that reads them. more: those of others that read each line, too, by their languages.
    """

    def __init__(self, finding: Sequence[Path], reading: Path, more: dict[str, Path], threads: int):
        from rapidocr import RapidOCR
        from rapidocr.utils.process_img import map_boxes_to_original

        from reelmake.media import opencv  # noqa: F401  (before rapidocr imports it)

        self._original = map_boxes_to_original
        given = {
            "Global.log_level": "critical",  # what it raises says it
            "Global.text_score": 0.0,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(finding[0]),
            "Cls.model_path": str(finding[1]),
        }
        models: dict[str, Path] = {"ch": reading, **more}
        self._engines: list[Any] = []
        for language, path in models.items():
            self._path = path
            own = {"Rec.model_path": str(path), "Rec.lang_type": language}
            with self._failing("can't be loaded"):
                engine = RapidOCR(params=given | own)
                if not self._engines:
                    engine._load_det_model()
                    engine._load_cls_model()
                engine._load_rec_model()  # else the first picture does
                self._engines.append(engine)

    def read(self, picture: "np.ndarray") -> list[Reading]:
        """The lines in a picture from top to bottom, each as the model reads it that is surest.

        picture: BGR, uint8, height x width x 3. Raises StageError where a model fails.
        """
        high, wide = picture.shape[:2]
        if min(high, wide) < LOWEST:
            return []
        first, *more = self._engines
        with self._failing("fails"):
            is_small = min(high, wide) < SMALL
            finder = first.text_det
            finder.limit_type = "max" if is_small else "min"
            finder.limit_side_len = LARGEST if is_small else ENLARGED
            scaled, record = first.preprocess_img(picture)
            found, turned, read, _ = first.run_ocr_steps(scaled, record)
            if found.boxes is None or read.txts is None:
                return []
            readings = [list(zip(read.txts, read.scores, strict=True))]
            for engine in more:
                again = engine.recognize_txt(turned.img_list)
                readings.append(list(zip(again.txts, again.scores, strict=True)))
            boxes = self._original(found.boxes.astype("float64"), record, high, wide)
        lines = []
        for box, *versions in zip(boxes, *readings, strict=True):
            text, confidence = max(versions, key=lambda version: version[1])
            text = line(text)
            if any(map(str.isalnum, text)):  # a round shape is read as a dot
                left, top = box.min(axis=0) / (wide, high)
                right, bottom = box.max(axis=0) / (wide, high)
                where = map(float, (left, top, right - left, bottom - top))
                lines.append(Reading(text, float(confidence), *where))
        return lines

    @contextlib.contextmanager
    def _failing(self, how: str) -> Iterator[None]:
        """Has the engine's errors say what failed."""
        try:
            yield
        except (MemoryError, StageError):
            raise
        except Exception as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
            raise StageError(
                f"RapidOCR with {self._path} {how}: {said}; reinstall it, or check onscreen.models",
                kind="engine",
            ) from error


def _included(name: str) -> Path:
    """A model in RapidOCR's wheel. Raises StageError where it is not there."""
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise StageError("rapidocr is not installed: make setup", kind="engine")
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise StageError(
            f"{path} does not exist: it belongs to rapidocr as PyPI has it; reinstall that",
            kind="engine",
        )
    return path


def _published(language: str) -> tuple[str, str]:
    """The address of RapidOCR's model for a language, and the SHA-256 that it has there."""
    from rapidocr.inference_engine.base import FileInfo, InferSession
    from rapidocr.utils.typings import EngineType, ModelType, OCRVersion, TaskType

    found: dict[str, Any] = InferSession.get_model_url(
        FileInfo(
            EngineType.ONNXRUNTIME,
            OCRVersion.PPOCRV5,
            TaskType.REC,
            language,
            ModelType.MOBILE,
        )
    )
    return found["model_dir"], found["SHA256"]
