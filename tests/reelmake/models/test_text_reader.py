"""Text in pictures, read by the real engine."""

import hashlib
import shutil
import socket

import numpy as np
import pytest

from onscreen_job import bgr, drawn
from reelmake.foundation.errors import StageError
from reelmake.library import config, reading_languages
from reelmake.models import text_reader


@pytest.fixture(scope="module")
def reader():
    with text_reader.loaded(["en"], None, 2) as found:
        yield found


@pytest.mark.parametrize(
    "text",
    ["Quarterly results", '<script>alert("x")', "{{ 49 }} is half"],
)
def test_a_line_is_read_as_it_stands(reader, text):
    (line,) = reader.read(bgr(drawn(text)))
    assert "".join(line.text.split()) == "".join(text.split())
    assert line.confidence > 0.9
    assert (line.left, line.top) == pytest.approx((20 / 320, 22 / 180), abs=0.04)
    assert line.height == pytest.approx(24 / 180, abs=0.07)


def test_lines_come_from_top_to_bottom(reader):
    found = reader.read(bgr(drawn("First line", "Second line", "Third line")))
    assert [line.text for line in found] == ["First line", "Second line", "Third line"]


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (11, 640), (13, 13), (900, 13)])
def test_a_picture_without_text_has_none_whatever_its_size(reader, size):
    dice = np.random.default_rng(3)
    assert reader.read(np.zeros((*size[::-1], 3), np.uint8)) == []
    noise = dice.integers(0, 255, (*size[::-1], 3), np.uint8)
    assert all(0 <= line.left <= line.left + line.width <= 1.001 for line in reader.read(noise))


def test_what_is_mirrored_or_turned_is_read_with_less_confidence_or_not(reader):
    picture = bgr(drawn("Quarterly results"))
    mirrored = reader.read(np.ascontiguousarray(picture[:, ::-1]))
    assert all(line.confidence < 0.9 for line in mirrored)


def test_nothing_is_downloaded(monkeypatch, tmp_path):
    def refuse(*args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with text_reader.loaded(["de", "ch", "japan"], None, 1) as found:
        assert len(found.read(bgr(drawn("Hello")))) == 1
    with pytest.raises(StageError, match=r"korean \(onscreen\.languages\).*get korean_PP-OCRv5"):
        text_reader.loaded(["korean"], None, 1)
    with pytest.raises(StageError, match=r"korean_PP-OCRv5_rec_mobile\.onnx does not exist"):
        text_reader.loaded(["korean"], str(tmp_path), 1)


def test_a_model_that_is_damaged_is_said(tmp_path):
    (tmp_path / reading_languages.model_file("korean")).write_bytes(b"no model")
    with pytest.raises(StageError, match=r"is damaged, or not the model.*get korean_PP-OCRv5"):
        text_reader.loaded(["korean"], str(tmp_path), 1)


def test_each_line_is_read_by_every_model(tmp_path, monkeypatch):
    """The model in the wheel stands for another one: there is none here."""
    path = tmp_path / reading_languages.model_file("eslav")
    shutil.copy(text_reader._included(text_reader.READS), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(text_reader, "_published", lambda language: ("https://a", digest))
    picture = bgr(drawn("Quarterly results", "for 2031"))
    with text_reader.loaded(["en", "eslav"], str(tmp_path), 2) as both:
        assert len(both._engines) == 2
        found = both.read(picture)
        assert [line.text for line in found] == ["Quarterly results", "for 2031"]
        read = both._engines[1].recognize_txt

        def surer(images):
            again = read(images)
            again.txts, again.scores = ("Итоги", again.txts[1]), (1.1, 0.0)
            return again

        monkeypatch.setattr(both._engines[1], "recognize_txt", surer)
        assert [line.text for line in both.read(picture)] == ["Итоги", "for 2031"]


def test_an_engine_that_fails_is_an_error_of_the_job(reader, monkeypatch):
    def fail(*args, **options):
        raise RuntimeError("a\nbad allocation")

    monkeypatch.setattr(reader._engines[0], "run_ocr_steps", fail)
    with pytest.raises(StageError, match=r"RapidOCR.*fails: bad allocation") as error:
        reader.read(bgr(drawn("Hello")))
    assert error.value.kind == "engine"
    monkeypatch.setattr(text_reader, "READS", "none.onnx")
    with pytest.raises(StageError, match=r"none\.onnx does not exist.*reinstall"):
        text_reader.loaded(["en"], None, 1)


def test_the_setting_knows_the_languages_of_the_engine():
    from rapidocr import RapidOCR

    included = RapidOCR.list_supported_langs("rec", "PP-OCRv6", "small")
    other = RapidOCR.list_supported_langs("rec", "PP-OCRv5", "mobile")
    schema = config.schema()["properties"]["onscreen"]["properties"]["languages"]
    known = schema["items"]["enum"]
    assert set(known) == set(included) | set(reading_languages.OWN_MODEL)
    assert set(other) - set(included) - {"latin"} == set(reading_languages.OWN_MODEL)
    for language in reading_languages.OWN_MODEL:
        address, digest = text_reader._published(language)
        assert address.endswith(reading_languages.model_file(language)) and len(digest) == 64
