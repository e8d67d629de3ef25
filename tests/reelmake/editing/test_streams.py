"""Which audio track is meant."""

from pathlib import Path
from typing import Any

import pytest

from reelmake.editing import streams
from reelmake.foundation.errors import StageError

# Each pair of ISO 639-2: for bibliographies and for terminology, and the code of ISO 639-1.
PAIRS = (
    "alb/sqi/sq arm/hye/hy baq/eus/eu bur/mya/my chi/zho/zh cze/ces/cs dut/nld/nl fre/fra/fr "
    "geo/kat/ka ger/deu/de gre/ell/el ice/isl/is mac/mkd/mk mao/mri/mi may/msa/ms per/fas/fa "
    "rum/ron/ro slo/slk/sk tib/bod/bo wel/cym/cy"
)

SOURCE = Path("a.mkv")


def media(*languages: str | None, default: int = 0) -> dict[str, Any]:
    found = [
        {
            "index": number,
            "type": "audio",
            "language": language,
            "default": number == default,
            "codec": "aac",
            "channels": 2,
        }
        for number, language in enumerate(languages)
    ]
    return {"streams": found, "audio": default, "video": None}


def index(found: dict[str, Any], wanted: streams.Wanted) -> int:
    chosen = streams.track(SOURCE, found, wanted)
    assert chosen is not None
    return int(chosen["index"])


@pytest.mark.parametrize("codes", PAIRS.split(" "))
def test_all_codes_of_a_language_are_one(codes: str) -> None:
    names = codes.split("/")
    for tagged in names:
        for wanted in (*names, f"{names[-1]}-XX", names[0].upper()):
            assert index(media("qaa", tagged), wanted) == 1


def test_regions_and_scripts_are_one_language() -> None:
    assert index(media("eng", "pt-BR"), "por") == 1
    assert index(media("eng", "zh-Hant"), "chi") == 1
    assert index(media("eng", "nob"), "no") == 1


@pytest.mark.parametrize("tag", [None, "und", "", "x", "??", "Deutsch", "mis", "en_US", "12"])
def test_missing_and_broken_tags_are_no_language(tag: str | None) -> None:
    assert index(media(tag, "deu"), "ger") == 1
    with pytest.raises(StageError, match="no audio track 'fra'"):
        index(media(tag, "deu"), "fra")


def test_what_is_no_language_is_found_as_it_is_written() -> None:
    assert index(media("eng", "Deutsch"), "deutsch") == 1
    with pytest.raises(StageError):
        index(media(None, "und"), "und")


def test_of_two_tracks_of_a_language_the_default_one_is_taken() -> None:
    assert index(media("deu", "eng", "ger", default=2), "de") == 2


def test_the_first_preference_that_is_there_counts() -> None:
    found = media("eng", "fra", default=1)
    assert index(found, ["deu", "eng", "default"]) == 0
    assert index(found, ["deu", "default"]) == 1
    assert index(found, ["deu", 0]) == 0
    with pytest.raises(StageError, match=r"has no audio track \['deu', 5\]; it has 0 \(eng"):
        index(found, ["deu", 5])


def test_a_film_is_as_if_the_wanted_track_were_its_default() -> None:
    assert streams.with_track(SOURCE, media("eng", "deu"), "ger")["audio"] == 1
    silent = {"streams": [], "audio": None, "video": None}
    assert streams.with_track(SOURCE, silent, "ger")["audio"] is None
