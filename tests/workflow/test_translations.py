"""Translations of a real film, by the real engine: each language once."""

import german
from make_video import DEMO_LINES
from reelmake.foundation import artifact_files
from workspace import ROOT


def test_a_film_has_subtitles_in_each_language_that_is_named(workspace):
    library = workspace
    (library.videos / "film.mp4").symlink_to(ROOT / "demo" / "videos" / "demo.mp4")
    library.config["cache"] = False
    assert "into which languages? Name some" in library.run("translations", ok=False)
    library.config["translations"]["languages"] = ["de"]
    library.config["stages"] = ["translations"]
    library.run()
    found = library.json("film", "translations.json")
    artifact_files.validate(found, "translations")
    right = [german.translate(line.text) for line in DEMO_LINES]
    assert found["languages"][0]["lines"] == right
    folder = library.result("film", "translations")
    assert (folder / "transcript.de.txt").read_text().splitlines() == right
    listed = library.json("film", "manifest.json")["stages"]["translated_subtitles"]["artifacts"]
    assert [entry["path"] for entry in listed] == [
        f"translations/transcript.de.{suffix}" for suffix in ("srt", "txt", "vtt")
    ]
    assert library.plan() == []

    library.config["translations"]["languages"] = ["fr", "de"]
    assert library.plan() == ["translate_transcript", "write_manifest", "write_translations"]
    library.run()
    assert library.json("film", "translations.json")["languages"][1] == found["languages"][0]
    assert library.record("film", "translations")["items_total"] == len(DEMO_LINES)
    assert (folder / "transcript.fr.vtt").exists()

    library.config["translations"]["languages"] = ["de"]
    library.run()
    assert library.json("film", "translations.json") == found
    assert not list(folder.glob("*.fr.*"))
