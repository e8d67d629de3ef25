"""What a long job says on the run's terminal, and how seldom."""

import os
import pty

import pytest

from reelmake.jobs.progress import AT_TERMINAL, IN_LOG, Progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def said(descriptor: int, until: str = "\n") -> list[str]:
    """The lines that are there, until the text ends so."""
    text = ""
    while not text.endswith(until):
        text += os.read(descriptor, 100_000).decode().replace("\r", "")
    return text.splitlines()


@pytest.mark.parametrize("terminal", [True, False])
def test_it_is_said_seldom(terminal):
    ours, theirs = pty.openpty() if terminal else os.pipe()
    os.set_blocking(theirs, False)  # a flood fails, and does not wait
    clock = Clock()
    progress = Progress("one", "scenedesc", theirs, clock)
    for number in range(300):  # one a second
        progress.update(number, 301)
        clock.now += 1
    os.write(theirs, b"end\n")
    lines = said(ours, until="end\n")[:-1]
    every = AT_TERMINAL if terminal else IN_LOG
    assert len(lines) == pytest.approx(300 / every, abs=1)
    assert lines[0] == (
        f"reelmake: one: scenedesc: {every:.0f} of 301 keyframes, about "
        + ("4 min 51 s left" if terminal else "4 min 1 s left")
    )
    os.close(ours)
    os.close(theirs)


def test_what_came_from_the_journal_is_no_sign_of_speed():
    ours, theirs = os.pipe()
    clock = Clock()
    progress = Progress("one", "scenedesc", theirs, clock)
    progress.update(900, 1000)
    clock.now += 60
    progress.update(910, 1000)
    assert said(ours) == ["reelmake: one: scenedesc: 910 of 1000 keyframes, about 9 min left"]
    clock.now += 60
    progress.update(1000, 1000)  # it is about to end: Snakemake says that
    os.write(theirs, b"end\n")
    assert said(ours) == ["end"]
    os.close(ours)
    os.close(theirs)


def test_a_short_job_says_nothing():
    ours, theirs = os.pipe()
    progress = Progress("one", "scenedesc", theirs, Clock())
    for number in range(100):
        progress.update(number, 1000)
    os.write(theirs, b"end\n")
    assert said(ours) == ["end"]
    os.close(ours)
    os.close(theirs)


def test_a_name_steers_no_terminal():
    ours, theirs = os.pipe()
    clock = Clock()
    progress = Progress("a\x1b[31m\nb", "scenes", theirs, clock)
    clock.now += 100
    progress.update(1, 10)
    (line,) = said(ours)
    assert "\x1b" not in line
    os.close(ours)
    os.close(theirs)
