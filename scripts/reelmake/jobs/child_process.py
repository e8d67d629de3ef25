"""Work in a process of its own, whose end is not its job's: an engine in C++ may call `abort`, or
be the largest process when the kernel runs out of memory."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgpack

from reelmake.foundation import process_identity
from reelmake.foundation.errors import OUT_OF_MEMORY, StageError, UserError, explain
from reelmake.jobs import crashes
from reelmake.jobs.runner import log_traceback
from reelmake.library import job_records

if TYPE_CHECKING:
    from reelmake.jobs.job import Job

STOPPED = 75
"""The exit status of a child that a signal has stopped (sysexits.h: try again)."""


def run(this: "Job", work: Callable[[], Any], engine: str) -> Any:
    """What `work` returns, called in a child of the job's process.

    work: returns what msgpack can hold. It may use the job's journal (opened within), items and
    progress: a signal that stops the job stops the child after its item. engine: who is to blame
    where the child ends without a word, such as "sherpa-onnx". Raises what `work` raises, as
    StageError, and StageError where the child is killed or ends by itself.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = os.pipe()
    parent = os.getpid()
    # From here on a signal goes to the child, too.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    child = os.fork()
    if child == 0:
        os.close(ours)
        _be_child(this, work, theirs, parent, blocked)
    os.close(theirs)
    with _passed_on(child, blocked), open(ours, "rb") as pipe:  # noqa: PTH123
        answer = pipe.read()
        _, status = os.waitpid(child, 0)
    this.record |= job_records.read(this.results, this.stage)
    return _result(answer, os.waitstatus_to_exitcode(status), engine)


def _be_child(
    this: "Job", work: Callable[[], Any], pipe: int, parent: int, blocked: set[int]
) -> None:
    """Call `work`, write what comes of it to the pipe, and end."""
    status = 1
    try:
        process_identity.end_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        with open(pipe, "wb") as file:
            file.write(msgpack.packb(_answer(work)))
        this.save()  # how far it has come
        status = 0
    except KeyboardInterrupt:
        status = STOPPED
    except Exception:
        log_traceback()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _answer(work: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"result": work()}
    except StageError as error:
        return {"error": str(error), "kind": error.kind}
    except UserError as error:
        return {"error": str(error), "kind": "engine"}
    except MemoryError:
        return {"error": OUT_OF_MEMORY, "kind": "resources"}
    except OSError as error:
        message, kind = explain(error)
        return {"error": message, "kind": kind}
    except Exception as error:
        log_traceback()
        if "bad_alloc" in str(error):  # as C++ says it
            return {"error": OUT_OF_MEMORY, "kind": "resources"}
        return {"error": f"{type(error).__name__}: {error}", "kind": "engine"}


@contextlib.contextmanager
def _passed_on(child: int, blocked: set[int]) -> Any:
    """Pass the job's signals on to the child in the block: it finishes its item, and the job ends
    after it."""

    def pass_on(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _result(answer: bytes, status: int, engine: str) -> Any:
    """What the child has answered. Raises StageError, and KeyboardInterrupt where it was stopped.

    status: of its exit; less than 0: the number of the signal that ended it.
    """
    if status == STOPPED:
        raise KeyboardInterrupt
    if status == -signal.SIGKILL:
        raise StageError(
            f"{engine} was killed, most likely by the kernel for want of memory; run fewer jobs at "
            "once (--cores)",
            kind="resources",
        )
    if status:
        raise StageError(crashes.why(engine, status), kind="engine")
    found = msgpack.unpackb(answer)
    if "error" in found:
        raise StageError(found["error"], kind=found["kind"])
    return found["result"]
