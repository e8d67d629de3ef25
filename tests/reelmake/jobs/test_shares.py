"""The files of shares, the command line of a run over one, and what it tells."""

import os
import sys

from reelmake.jobs import shares

WHERE = {"snakefile": "/there/Snakefile", "folder": "/library", "started_in": "/home/somebody"}


def test_each_video_is_in_one_share_in_their_order(tmp_path):
    videos = [f"film{number}" for number in range(7)]
    paths = shares.write(tmp_path / "run", videos, 3, ["--cores", "8"], **WHERE)
    found = [shares.read(path) for path in paths]
    assert [len(share.videos) for share in found] == [3, 3, 1]
    assert [video for share in found for video in share.videos] == videos
    assert [share.number for share in found] == [1, 2, 3]


def test_the_options_of_a_share_come_last_but_before_the_targets_behind_two_dashes():
    given = ["clips", "--cores", "all", "--config", "videos=a b"]
    share = shares.Share(1, ["a"], given, **WHERE)
    command = shares.command(share, 4)
    assert command[:3] == [sys.executable, "-m", "snakemake"]
    assert command[3 : 3 + len(given)] == given
    assert command[command.index("--executor") + 1] == "local"
    cores = [place for place, word in enumerate(command) if word == "--cores"]
    assert command[cores[-1] + 1] == "4"
    dashed = shares.command(shares.Share(1, ["a"], ["-c", "2", "--", "clips"], **WHERE), 4)
    assert dashed[-2:] == ["--", "clips"]


def test_what_is_told_is_read_once_and_a_line_only_when_it_is_whole(tmp_path):
    events = shares.Events(tmp_path)
    assert list(events.new()) == []
    teller = shares.Teller(tmp_path / "2.events")
    teller.tell("start", job=1, rule="probe_media", wildcards={"video": "\udcff 🎬"})
    teller.close()
    with (tmp_path / "2.events").open("a") as file:
        file.write('{"what": "fin')
    ((share, event),) = events.new()
    assert (share, event["what"], event["job"]) == (2, "start", 1)
    assert event["wildcards"] == {"video": "\udcff 🎬"}
    assert list(events.new()) == []
    with (tmp_path / "2.events").open("a") as file:
        file.write('ish", "job": 1}\nno JSON\n')
    assert [event for _, event in events.new()] == [{"what": "finish", "job": 1}]


def test_a_run_is_over_a_share_where_it_was_told_so(tmp_path, monkeypatch):
    monkeypatch.delenv(shares.VARIABLE, raising=False)
    assert shares.of_this_run() is None and shares.events_of_this_run() is None
    (path,) = shares.write(tmp_path, ["a"], 1, [], **WHERE)
    monkeypatch.setenv(shares.VARIABLE, os.fspath(path))
    assert shares.of_this_run().videos == ["a"]
    assert shares.events_of_this_run() == tmp_path / "1.events"
