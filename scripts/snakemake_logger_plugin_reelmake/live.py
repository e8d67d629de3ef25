"""The block at the bottom of a terminal that shows what a run is doing."""

import threading
import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reelmake.foundation.text import printable
from reelmake.foundation.units import show_seconds
from reelmake.library import library_scan, run_lock
from reelmake.reel import status
from snakemake_logger_plugin_reelmake.run_state import RESULTS, RunState

LOOK = 30.0
"""Seconds between two estimates of the time left, which read a record of every video."""

SHOWN = 8
"""Jobs at work that are listed; more are counted."""


class Screen:
    """Redraws the block four times a second, and prints lines above it."""

    def __init__(self, state: RunState, stream: TextIO, nocolor: bool):
        self._state = state
        self._console = Console(file=stream, no_color=nocolor, highlight=False)
        self._left = ""
        self._said: set[str] = set()
        self._stopped = threading.Event()
        self._live = Live(
            console=self._console,
            get_renderable=self._block,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        self._console.show_cursor(True)  # a kill would leave it hidden
        threading.Thread(target=self._estimate, daemon=True).start()

    def print(self, lines: Sequence[str]) -> None:
        """Print lines above the block."""
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)

    def update(self) -> None:
        """Show what jobs have said: they don't write to a terminal with a block."""
        for line in run_lock.said():
            if line not in self._said:
                self._said.add(line)
                self.print([f"reelmake: {printable(line)}"])

    def stop(self) -> None:
        """Take the block away."""
        self.update()
        self._stopped.set()
        self._live.stop()

    def _block(self) -> Group:
        state = self._state
        head = Table.grid(expand=True, padding=(0, 1))
        head.add_column(ratio=1)
        head.add_column(justify="right", no_wrap=True)
        head.add_row(
            ProgressBar(total=max(1, state.videos), completed=state.finished),
            Text(state.headline(), style="bold"),
        )
        return Group(Text(""), head, self._stages(), *self._at_work(), self._time())

    def _stages(self) -> Text:
        """'transcript 45/522  scenes 60/522': those that are not done."""
        said = Text(overflow="fold")
        for name, jobs in self._state.jobs.items():
            done, failed = self._state.done[name], self._state.failed[name]
            if name == "manifest" or done == jobs:
                continue
            said.append(f"{name} ", style="dim")
            said.append(f"{done:,}/{jobs:,}")
            if failed:
                said.append(f" {failed:,} failed", style="red")
            said.append("  ")
        return said

    def _at_work(self) -> list[Table]:
        jobs = sorted(self._state.running.copy().values(), key=lambda job: job.began)
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, max_width=36)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        for job in jobs[:SHOWN]:
            seconds = show_seconds(time.time() - job.began)
            table.add_row(
                Text(f"  {printable(job.video)}", overflow="ellipsis"),
                Text(job.stage),
                Text(self._state.progress(job) or seconds, style="dim"),
            )
        if len(jobs) > SHOWN:
            table.add_row(Text(f"  and {len(jobs) - SHOWN} more"), Text(""), Text(""))
        return [table]

    def _time(self) -> Text:
        took = show_seconds(time.time() - self._state.began)
        return Text(f"{took} so far{self._left}", style="dim")

    def _estimate(self) -> None:
        """From what jobs of this library took before, as `reel status` has it."""
        scan = library_scan.Scan(RESULTS)
        while not self._stopped.wait(3.0 if not self._left else LOOK):
            try:
                found = status.status(scan.look())
            except (OSError, KeyError, TypeError, ValueError):
                continue  # the library changes under it
            rate, eta = found["rate"], found["eta"]
            said = ""
            if rate and rate["videos"]:
                said += f"; {rate['videos_per_hour']:,.0f} videos an hour"
            if eta and eta["p50"]:
                said += f"; about {show_seconds(eta['p50'])} left"
            self._left = said
