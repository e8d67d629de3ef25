"""Downloads from a real server, which does what servers do: right and wrong."""

import gc
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fetch_source
import make_media
from reelmake.foundation import artifact_files
from reelmake.foundation.errors import StageError
from reelmake.jobs.job import Job
from reelmake.jobs.run_context import RunContext
from reelmake.library import config, fingerprints
from reelmake.media import download, ffmpeg, probing
from web import Page

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
PAGE = "<!doctype html><html><head><title>Films</title></head><body>{}</body></html>"

# yt-dlp leaves answers and files open when it fails; the end of the job closes them.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """A film of 3 MB, so that a half of it is more than a buffer."""
    path = make_media.three_scenes(tmp_path_factory.mktemp("web") / "film.mp4")
    free = 3_000_000
    return path.read_bytes() + (free + 8).to_bytes(4, "big") + b"free" + os.urandom(free)


@pytest.fixture
def get(web, tmp_path, monkeypatch):
    """get(path, key): what is downloaded. get.progress: (done, total) of each call."""
    monkeypatch.setattr(download, "BACKOFF", 0.01)

    def get(path, key="a" * 64):
        get.folder = download.partial(tmp_path / "results" / "V", key)
        get.progress = []
        url = web.url(path) if path.startswith("/") else path
        film = download.download(
            url, get.folder, ffmpeg.binary(), lambda *seen: get.progress.append(seen)
        )
        assert film.parent == get.folder
        return film.read_bytes()

    yield get
    gc.collect()  # here, where what yt-dlp left open is nobody's surprise


def ranges(web):
    """The Range of each request, None where there is none."""
    return [asked.headers.get("Range") for asked in web.asked]


def failure(get, path, **more) -> StageError:
    with pytest.raises(StageError) as error:
        get(path, **more)
    assert "secret" not in str(error.value)
    return error.value


def test_a_file_arrives_whole_and_says_how_far_it_is(web, get, content):
    web.pages["/film.mp4"] = Page(content, etag='"1"')
    assert get("/film.mp4") == content
    assert get.progress[-1] == (len(content), len(content))
    assert get.progress[0][1] == len(content)


def test_a_connection_cut_at_half_goes_on_there(web, get, content):
    web.pages["/film.mp4"] = Page(content, etag='"1"', cut=1)
    assert get("/film.mp4") == content
    (resumed,) = [asked for asked in web.asked if "Range" in asked.headers]
    assert resumed.status == 206
    start = int(resumed.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert start > len(content) // 4


def test_a_server_that_cannot_go_on_sends_it_again(web, get, content):
    web.pages["/film.mp4"] = Page(content, etag='"1"', cut=1, ranges=False)
    assert get("/film.mp4") == content


def test_many_cuts_are_no_failure_while_it_gets_further(web, get, content):
    web.pages["/film.mp4"] = Page(content, etag='"1"', cut=download.RETRIES + 2)
    assert get("/film.mp4") == content


@pytest.fixture
def interrupted(web, get, content, monkeypatch):
    """/film.mp4 of which an earlier job got the first half."""
    web.pages["/film.mp4"] = Page(content, etag='"1"', last_modified=1e9, cut=1)
    with monkeypatch.context() as patch:
        patch.setattr(download, "RETRIES", 0)
        assert failure(get, "/film.mp4").kind == "transient"
    assert download._bytes_in(get.folder) > len(content) // 4
    web.asked.clear()
    return web.pages["/film.mp4"]


def test_the_next_job_goes_on_where_one_was_stopped(web, get, content, interrupted):
    assert get("/film.mp4") == content
    assert web.asked[-1].status == 206


def test_the_video_of_a_page_goes_on_as_well(web, get, content, interrupted):
    """The page has a version of its own, which is not the film's."""
    web.pages["/page"] = Page(PAGE.format('<video src="/film.mp4"></video>').encode(), "text/html")
    interrupted.cut, interrupted.linked = download.RETRIES, True
    assert get("/page") == content
    downloads = [asked for asked in web.asked if asked.path == "/film.mp4"]
    assert [asked.status for asked in downloads] == [206] * (download.RETRIES + 1)


def test_a_download_for_another_version_is_thrown_away(web, get, content, interrupted):
    assert get("/film.mp4", key="b" * 64) == content
    assert ranges(web) == [None, None]
    assert [path.name for path in get.folder.parent.iterdir()] == [get.folder.name]


@pytest.mark.parametrize("change", [{"etag": '"2"'}, {"last_modified": 2e9}, {"etag": None}])
def test_what_changed_since_is_not_appended_to_what_was(web, get, content, interrupted, change):
    """The lengths are the same: only what the server says of the version tells."""
    interrupted.content = new = content[:1000] + os.urandom(len(content) - 1000)
    for name, value in change.items():
        setattr(interrupted, name, value)
    assert get("/film.mp4") == new


def test_a_kill_after_an_answer_and_before_its_first_byte_mixes_nothing(
    web, get, content, interrupted, monkeypatch
):
    """The file holds the old version still when the server has promised the new one."""
    interrupted.etag = '"2"'
    interrupted.content = new = bytes(len(content))

    def killed(file, request=None):
        raise KeyboardInterrupt

    import yt_dlp.downloader.common

    with monkeypatch.context() as patch:
        patch.setattr(yt_dlp.downloader.common, "sanitize_open", killed)
        with pytest.raises(KeyboardInterrupt):
            get("/film.mp4")
    assert get("/film.mp4") == new


def test_what_is_shorter_now_is_not_what_was(web, get, content, interrupted):
    interrupted.content = content[:5000]  # 416: there is nothing so far behind
    assert get("/film.mp4") == content[:5000]


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (404, "input", "is not there (its server answers 404); check the address"),
        (410, "input", "is not there"),
        (403, "input", "is not for everybody"),
        (400, "input", "is refused"),
        (500, "transient", "out of order (it answers 500); run again later"),
        (429, "transient", "too busy (it answers 429); run again a little later"),
    ],
)
def test_a_refusal_is_one_sentence(web, get, status, kind, says):
    web.pages["/film.mp4"] = Page(b"<html>secret", "text/html", status)
    error = failure(get, "/film.mp4?token=secret")
    assert error.kind == kind
    assert says in str(error)
    assert web.url("/film.mp4?…") in str(error)
    again = kind == "transient"
    assert web.statuses("/film.mp4") == [status] * (1 + download.RETRIES if again else 1)


def test_a_server_that_is_out_of_order_is_asked_again(web, get, content, monkeypatch):
    page = web.pages["/film.mp4"] = Page(content, status=503)
    sleep = time.sleep

    def repaired(seconds):
        page.status = 200
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", repaired)
    assert get("/film.mp4") == content


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(web, get, content, monkeypatch):
    waits = []  # the server's own, of 0 s, among them
    page = web.pages["/film.mp4"] = Page(content, status=429, headers={"Retry-After": "7"})

    def wait(seconds):
        waits.append(seconds)
        page.status = 200 if waits.count(7) == 2 else 429

    monkeypatch.setattr(download.time, "sleep", wait)
    assert get("/film.mp4") == content
    assert sum(waits) == 14


@pytest.mark.parametrize("header", ["3600", "date"])
def test_a_server_that_asks_for_too_much_is_for_another_run(web, get, header):
    from email.utils import formatdate

    header = formatdate(time.time() + 3600, usegmt=True) if header == "date" else header
    web.pages["/film.mp4"] = Page(status=429, headers={"Retry-After": header})
    error = failure(get, "/film.mp4")
    assert error.kind == "transient"
    assert "run again in 60 minutes" in str(error)
    assert web.statuses("/film.mp4") == [429]


def test_a_server_that_asks_to_wait_in_the_middle_is_heard(web, get, content):
    """yt-dlp retries a 503 of the film itself, and says of it only a text."""
    web.pages["/film.mp4"] = Page(content, status=503, headers={"Retry-After": "3600"})
    web.pages["/page"] = Page(PAGE.format('<video src="/film.mp4"></video>').encode(), "text/html")
    assert "run again in 60 minutes" in str(failure(get, "/page"))
    assert web.statuses("/film.mp4") == [503]


def test_an_hour_of_short_waits_is_not_waited(web, get, monkeypatch):
    waits = []
    monkeypatch.setattr(download, "RETRIES", 1000)
    monkeypatch.setattr(download.time, "sleep", waits.append)
    web.pages["/film.mp4"] = Page(status=429, headers={"Retry-After": "100"})
    assert failure(get, "/film.mp4").kind == "transient"
    assert sum(waits) == download.PATIENCE


def test_no_server_is_another_try_later(web, get):
    web.close()
    error = failure(get, "/film.mp4?token=secret")
    assert error.kind == "transient"
    assert "the connection failed" in str(error)
    web.open()


def test_fewer_bytes_than_announced_are_no_film(web, get, content):
    web.pages["/film.mp4"] = Page(content, length=len(content) + 50_000, ranges=False)
    error = failure(get, "/film.mp4")
    assert error.kind == "transient"
    assert "cut off" in str(error)


def test_a_web_page_is_said_to_be_one(web, get):
    web.pages["/page"] = Page(PAGE.format("Log in").encode(), "text/html; charset=utf-8")
    error = failure(get, "/page?token=secret")
    assert error.kind == "input"
    assert "is a web page in which yt-dlp finds no video" in str(error)


def test_the_video_of_a_page_is_downloaded_and_several_are_refused(web, get, content):
    web.pages["/film.mp4"] = Page(content)
    web.pages["/one"] = Page(PAGE.format('<video src="/film.mp4"></video>').encode(), "text/html")
    assert get("/one") == content
    both = '<video src="/film.mp4"></video><video src="/other.mp4"></video>'
    web.pages["/two"] = Page(PAGE.format(both).encode(), "text/html")
    assert "is a list of videos" in str(failure(get, "/two"))


def test_an_address_without_a_known_extension(web, get, content):
    web.pages["/get.php"] = Page(content)
    web.pages["/source.json"] = Page(content)
    assert get("/get.php?id=3") == content
    assert get("/source.json", key="b" * 64) == content
    assert {path.suffix for path in get.folder.iterdir()} == {".json", ".unknown_video"}


def test_segments_are_joined_without_a_program(web, get, tmp_path):
    make_media.three_scenes(
        tmp_path / "film.m3u8", "-g", "25", "-hls_time", "2", "-hls_list_size", "0"
    )
    segments = sorted(tmp_path.glob("*.ts"))
    assert len(segments) == 3
    for path in segments:
        web.pages[f"/{path.name}"] = Page(path.read_bytes(), "video/mp2t")
    web.pages["/film.m3u8"] = Page(
        (tmp_path / "film.m3u8").read_bytes(), "application/vnd.apple.mpegurl"
    )
    assert get("/film.m3u8") == b"".join(path.read_bytes() for path in segments)


def test_sound_and_picture_apart_are_joined(web, get, tmp_path, film):
    """By the ffmpeg that it is told, though none is found by its name."""
    for kind, other in (("v", "-an"), ("a", "-vn")):
        playlist = tmp_path / f"{kind}.m3u8"
        options = ("-c", "copy", other, "-hls_time", "9", "-hls_list_size", "0")
        make_media.ffmpeg("-i", film("together.mp4"), *options, playlist)
        for path in tmp_path.glob(f"{kind}*.ts"):
            web.pages[f"/{path.name}"] = Page(path.read_bytes(), "video/mp2t")
        web.pages[f"/{playlist.name}"] = Page(
            playlist.read_bytes(), "application/vnd.apple.mpegurl"
        )
    main = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="a.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,CODECS="avc1.42c00a,mp4a.40.2",AUDIO="a"\nv.m3u8\n'
    )
    web.pages["/film.m3u8"] = Page(main.encode(), "application/vnd.apple.mpegurl")
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(get("/film.m3u8"))
    streams = probing.probe(joined)["streams"]
    assert {stream["type"] for stream in streams} == {"video", "audio"}


@pytest.mark.parametrize(
    ("segment", "says"),
    [
        # What yt-dlp would hand to ffmpeg, which would ask for it by itself.
        ('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key"\n#EXTINF:2,\n/a.ts', "without another program"),
        ("#EXTINF:2,\nfile:///etc/hostname", "not http or https"),
        ("#EXTINF:2,\ndata:video/mp2t;base64,AAAA", "not http or https"),
    ],
)
def test_a_playlist_neither_runs_a_program_nor_reads_a_file(web, get, segment, says):
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{segment}\n#EXT-X-ENDLIST\n"
    web.pages["/film.m3u8"] = Page(playlist.encode(), "application/vnd.apple.mpegurl")
    error = failure(get, "/film.m3u8")
    assert error.kind == "input"
    assert says in str(error)
    assert not web.statuses("/key")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("file:///etc/hostname", "not http or https"),
        ("ftp://127.0.0.1/a.mp4", "not http or https"),
        ("rtmp://127.0.0.1/a", "without another program"),
    ],
)
def test_only_the_web_is_asked(web, get, target, says):
    web.pages["/page"] = Page(PAGE.format(f'<video src="{target}"></video>').encode(), "text/html")
    assert says in str(failure(get, "/page"))
    assert not get.folder.exists()


def test_what_moved_off_the_web_is_not_followed(web, get):
    for target in ("file:///etc/hostname", "ftp://127.0.0.1/a.mp4"):
        web.pages["/moved"] = Page(status=302, headers={"Location": target})
        assert "leads to what is not on the web" in str(failure(get, "/moved"))
        assert not get.folder.exists()


def test_a_full_disk_is_said(web, get, content, monkeypatch):
    import yt_dlp.downloader.common

    def full(name, mode):
        return Path("/dev/full").open("wb", buffering=0), name

    monkeypatch.setattr(yt_dlp.downloader.common, "sanitize_open", full)
    web.pages["/film.mp4"] = Page(content)
    error = failure(get, "/film.mp4")
    assert error.kind == "resources"
    assert "the disk is full" in str(error)


def test_no_plugin_config_or_program_has_a_say(web, tmp_path, content):
    """In a process of its own, with all that yt-dlp would find for the user."""
    plugin = tmp_path / "yt_dlp_plugins" / "extractor" / "evil.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(f"open({str(tmp_path / 'plugin')!r}, 'w')\n")
    for name in (".config/yt-dlp/config", "yt-dlp.conf", ".netrc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("--exec 'touch exec'\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("ffmpeg", "ffprobe", "deno", "node", "phantomjs", "aria2c"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/program\nexit 1\n")
        (programs / name).chmod(0o755)
    web.pages["/film.mp4"] = Page(content)
    code = (
        "import sys\nfrom pathlib import Path\nfrom reelmake.media import download\n"
        f"download.download({web.url('/film.mp4')!r}, download.partial(Path('V'), 'k'), "
        f"{ffmpeg.binary()!r}, lambda *_: None)\n"
    )
    environment = os.environ | {
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / ".config"),
        "PYTHONPATH": f"{SCRIPTS}:{tmp_path}",
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "V/journal/source.k/source.mp4").read_bytes() == content
    assert not [
        name for name in ("plugin", "exec", "program", ".cache") if (tmp_path / name).exists()
    ]


def test_no_program_is_found_by_its_name_meanwhile(web, get, content, tmp_path):
    before = os.environ["PATH"]
    assert shutil.which("sh")
    web.pages["/film.mp4"] = Page(content)
    folder = download.partial(tmp_path, "k")
    found = set()

    def progress(done, total):
        found.add(shutil.which("sh"))

    download.download(web.url("/film.mp4"), folder, ffmpeg.binary(), progress)
    assert found == {None}
    failure(get, "/nothing")
    assert os.environ["PATH"] == before


@pytest.fixture
def run(web, tmp_path):
    """run(path): run the stage's function for a URL; returns the video's folder."""
    results = tmp_path / "results" / "V"

    def run(path, etag='"1"'):
        identity = {"path": web.url(path), "etag": etag}
        wanted = fingerprints.compute(fingerprints.settings(config.load({})), identity)["source"]
        artifact_files.write_json(results / "fingerprints" / "source.json", wanted)
        this = Job(str(results / "fingerprints" / "source.json"), "log", RunContext())
        fetch_source.fetch_source(this, results / "source.json")
        run.record = this.record
        return results

    run.results = results
    return run


def test_the_film_is_published_with_its_record(web, run, content):
    web.pages["/film.mp4"] = Page(content, etag='"1"')
    results = run("/film.mp4?token=t")
    record = artifact_files.read_json(results / "source.json")
    assert (results / record["file"]).read_bytes() == content
    assert record["file"] == "source.mp4"
    assert record["url"] == web.url("/film.mp4?token=t")
    assert record["state"] == {"etag": '"1"'}
    assert record["size"] == len(content)
    assert len(record["content"]) == 64
    assert run.record["asked"] == run.record["started"]
    assert (run.record["items_done"], run.record["unit"]) == (len(content), "bytes")
    assert {path.name for path in results.iterdir()} == {
        *("fingerprints", "jobs", "source.json", "source.mp4")
    }


def test_another_container_takes_the_place_of_the_film_before(web, run, content, film):
    web.pages["/film.mp4"] = Page(content)
    run("/film.mp4")
    web.pages["/film.avi"] = Page(film("whole.avi").read_bytes(), "video/x-msvideo")
    results = run("/film.avi")
    assert {path.name for path in results.glob("source.*")} == {"source.avi", "source.json"}


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(PAGE.format("Log in").encode()), "is a web page, not a video"),
        (Page(b"not a film" * 1000), "is not a video or audio file"),
        (Page(b"#EXTM3U", "video/mp4"), "is not a video or audio file"),
    ],
)
def test_what_is_no_film_is_not_published(web, run, content, page, says):
    web.pages["/film.mp4"] = Page(content)
    run("/film.mp4")
    before = (run.results / "source.json").read_bytes()
    web.pages["/film.mp4"] = page
    with pytest.raises(StageError, match=says) as error:
        run("/film.mp4?token=secret", etag='"2"')
    assert web.url("/film.mp4?…") in str(error.value)
    assert "journal" not in str(error.value)
    assert (run.results / "source.json").read_bytes() == before
    assert (run.results / "source.mp4").read_bytes() == content
    assert not (run.results / "journal").exists()  # the next try starts afresh


def test_too_short_a_content_length_cuts_the_film_off(web, run, film):
    whole = film("cut.mp4").read_bytes()  # its index is in front, and it lacks the end as it is
    web.pages["/film.mp4"] = Page(whole, length=len(whole) // 2)
    with pytest.raises(StageError, match="cut off: get the whole file") as error:
        run("/film.mp4")
    assert error.value.kind == "input"
