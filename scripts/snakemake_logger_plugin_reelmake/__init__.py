"""A run that people can read: `snakemake --logger reelmake`, which the default profile asks for.

On a terminal: what is stale and why, a block that shows what is at work, failures as they happen,
and the summary. In a pipe or a file: a line for each finished video and for each failure. For a dry
run: a table. Snakemake's full log stays in `.snakemake/log`; `--verbose` and `--logger default`
print what Snakemake prints.
"""

import os
import sys
import threading
from logging import LogRecord
from typing import TYPE_CHECKING, Any

from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_default import LogHandler as SnakemakesOwn
from snakemake_logger_plugin_reelmake.chatter import IN_OTHER_WORDS, is_chatter

# The library is imported when the first jobs are known, not before: Snakemake loads every plugin
# before it reads the Snakefile, which says whose library it is.
if TYPE_CHECKING:
    from snakemake_logger_plugin_reelmake.dry_run import DryRun
    from snakemake_logger_plugin_reelmake.run_state import RunState
    from snakemake_logger_plugin_reelmake.shares_news import SharesNews


class LogHandler(SnakemakesOwn):
    """Takes Snakemake's events, one after the other, in a thread of Snakemake's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        given = self.common_settings
        self._stream = sys.stdout if given.stdout else sys.stderr
        self._is_whole = given.verbose or given.debug_dag or given.printshellcmds
        self._teller: Any = None
        self._trace = ""
        if self._is_whole:
            return
        self._dry_run: DryRun | None = None
        self._state: RunState | None = None
        self._screen: Any = None
        self._shares: SharesNews | None = None
        self._lock = threading.RLock()

    def emit(self, record: LogRecord) -> None:
        """Show what the record tells people."""
        try:
            if _is_trace(record):
                self._trace = record.getMessage()  # shown only where the job left no reason
            self._tell(record)
            if self._is_whole:
                super().emit(record)
            else:
                with self._lock:
                    self._show(record)
            if getattr(record, "event", None) == LogEvent.JOB_ERROR:
                self._trace = ""
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """The end of the run."""
        if self._teller:
            self._teller.close()
            self._teller = False
        if not self._is_whole:
            if self._shares is not None:
                self._shares.stop()
            if self._screen is not None:
                self._screen.stop()
                self._screen = None
            if self._trace:  # of what is no job's, such as one that could not be submitted
                self._print(self._trace.splitlines())
                self._trace = ""
        super().close()

    def _show(self, record: LogRecord) -> None:
        event, told = getattr(record, "event", None), record.__dict__
        if self._shares is not None:
            self._shares.take()
        if "shares" in told:
            self._print_message(record)
            self._begin_shares(told["shares"])
        elif event == LogEvent.RUN_INFO:
            self._begin(told["stats"])
        elif event == LogEvent.JOB_INFO and self._dry_run is not None:
            self._dry_run.add(told)
        elif event == LogEvent.JOB_INFO and self._state is not None:
            wildcards = dict(told["wildcards"] or {})
            self._print(self._state.start(told["jobid"], told["rule_name"], wildcards))
            if self._shares is not None:
                self._shares.start(told["jobid"], wildcards)
        elif event == LogEvent.JOB_FINISHED and self._state is not None:
            self._print(self._state.finish(told["job_id"]))
        elif event == LogEvent.JOB_ERROR and self._state is not None:
            if self._shares is None:
                self._print(self._state.fail(told["jobid"], self._trace))
            else:
                self._print(self._shares.fail(told["jobid"], told.get("rule_msg") or self._trace))
        elif (event is None or event == LogEvent.ERROR) and not _is_trace(record):
            self._print_message(record)
        if self._screen is not None:
            self._screen.update()

    def _print_message(self, record: LogRecord) -> None:
        message = IN_OTHER_WORDS.get(str(record.msg), str(record.msg))
        if message.startswith("This was a dry-run") and self._dry_run is not None:
            self._print(self._dry_run.lines())
        elif self._shares is not None and self._shares.submitted(message):
            pass
        elif not is_chatter(message):
            from reelmake.foundation.text import printable

            self._print([printable(line) for line in message.splitlines()])

    def _tell(self, record: LogRecord) -> None:
        """Tell the run that this one is a part of, if it is, what the record says."""
        if self._teller is None:
            # Not imported from here: the Snakefile, which is read later, says whose library it is.
            if (shares := sys.modules.get("reelmake.jobs.shares")) is None:
                return
            path = shares.events_of_this_run()
            self._teller = shares.Teller(path) if path else False
        if not self._teller:
            return
        event, told = getattr(record, "event", None), record.__dict__
        if event == LogEvent.JOB_INFO:
            wildcards = dict(told["wildcards"] or {})
            self._teller.tell(
                "start", job=told["jobid"], rule=told["rule_name"], wildcards=wildcards
            )
        elif event == LogEvent.JOB_FINISHED:
            self._teller.tell("finish", job=told["job_id"])
        elif event == LogEvent.JOB_ERROR:
            self._teller.tell("fail", job=told["jobid"], trace=self._trace)
        elif (event is None or event == LogEvent.ERROR) and not _is_trace(record):
            message = str(record.msg)
            if not is_chatter(message):
                from reelmake.foundation.text import printable

                self._teller.tell("say", lines=[printable(line) for line in message.splitlines()])

    def _begin_shares(self, told: dict[str, Any]) -> None:
        """The run is one in shares. told: {"folder": of their files, "why": stage -> why -> how
        many jobs of them all, "videos": how many there are}"""
        from reelmake.library.stages import STAGES
        from snakemake_logger_plugin_reelmake.dry_run import DryRun
        from snakemake_logger_plugin_reelmake.shares_news import SharesNews

        if self.common_settings.dryrun:
            self._dry_run = DryRun()
            self._dry_run.count(told["why"], told["videos"])
            return
        self._begin({STAGES[name].rule: why.total() for name, why in told["why"].items()})
        assert self._state is not None
        self._shares = SharesNews(told["folder"], self._state, self._print, self._lock)

    def _begin(self, stats: dict[str, int]) -> None:
        """The jobs of the run are known. stats: how many, by rule."""
        from reelmake.jobs import terminal
        from snakemake_logger_plugin_reelmake.dry_run import DryRun
        from snakemake_logger_plugin_reelmake.run_state import RunState

        if self._shares is not None:  # which has said what there is to do
            return
        if self.common_settings.dryrun:
            self._dry_run = self._dry_run or DryRun()
            self._dry_run.plan(stats)
            return
        self._state = self._state or RunState()
        self._state.plan(stats)
        is_terminal = self._stream.isatty()
        # Jobs print to the same terminal: what this shows, they need not say.
        os.environ[terminal.VARIABLE] = "live" if is_terminal else "lines"
        if is_terminal and self._screen is None and self._state.total_jobs:
            from snakemake_logger_plugin_reelmake.live import Screen

            self._screen = Screen(self._state, self._stream, self.common_settings.nocolor)

    def _print(self, lines: list[str]) -> None:
        if self._screen is not None:
            self._screen.print(lines)
        else:
            for line in lines:
                print(line, file=self._stream, flush=True)


def _is_trace(record: LogRecord) -> bool:
    """Whether a record is what Snakemake says of a job that failed, before it says which."""
    event, exception = getattr(record, "event", None), getattr(record, "exception", None)
    return event == LogEvent.ERROR and exception == "RuleException"
