"""Scripts that are forks of one process run as they would by themselves."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from make_video import make_video, random_story
from reelmake.jobs import executor, signals
from workspace import Workspace, wait_for


class Server:
    """A connection to a server of scripts in a folder, as the executor makes one."""

    def __init__(self, monkeypatch, folder: Path):
        monkeypatch.chdir(folder)
        self.connection = executor._Connection()

    def run(self, script: Path, **given) -> tuple[int, str]:
        request = {
            "script": str(script),
            "environment": {"OMP_NUM_THREADS": "3"},
            "input": [["a", "b", "c"], {"first": [0, None], "rest": [1, 3]}],
            "output": [[str(script.with_suffix(".out"))], {}],
            "params": [[{"x": [1, None]}], {"run": [0, None]}],
            "wildcards": [["v"], {"video": [0, None]}],
            "threads": 3,
            "resources": [[3, 1, "/tmp"], {"_cores": [0, None], "tmpdir": [2, None]}],
            "log": [["log.txt"], {}],
            "config": {"a": 1},
            "rule": "make",
        }
        return self.connection.ask(request | given)


@pytest.fixture
def server(monkeypatch, tmp_path):
    found = Server(monkeypatch, tmp_path)
    yield found
    found.connection.close()


def script(folder: Path, text: str, name: str = "make.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_script_has_what_snakemake_gives_it(server, tmp_path):
    made = script(
        tmp_path,
        """
import json, os, sys
from pathlib import Path
import beside
found = [
    list(snakemake.input), snakemake.input.first, list(snakemake.input.rest), snakemake.output[0],
    snakemake.params.run, snakemake.wildcards.video, snakemake.threads, snakemake.log[0],
    snakemake.resources.tmpdir, snakemake.config, snakemake.rule, os.environ["OMP_NUM_THREADS"],
    __name__, Path(__file__).name, sys.modules["__main__"].snakemake is snakemake, beside.here,
    sys.modules.get("pandas", "not imported"), os.getcwd(),
]
Path(snakemake.output[0]).write_text(json.dumps(found))
""",
    )
    script(tmp_path, "here = 'here'", "beside.py")
    assert server.run(made) == (0, "")
    assert json.loads(made.with_suffix(".out").read_text()) == [
        *(["a", "b", "c"], "a", ["b", "c"], str(tmp_path / "make.out")),
        *({"x": [1, None]}, "v", 3, "log.txt", "/tmp", {"a": 1}, "make", "3"),
        *("__main__", "make.py", True, "here", "not imported", str(tmp_path)),
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('no')", 1),
        ("1 / 0", 1),
        ("import nothing_of_this_name", 1),
        ("this is no Python", 1),
        ("import os; os._exit(5)", 5),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11),
    ],
)
def test_how_a_script_ends_is_told_and_the_next_one_runs(server, tmp_path, text, status):
    assert server.run(script(tmp_path, text)) == (status, "")
    assert server.run(script(tmp_path, "", "other.py")) == (0, "")


def test_a_script_that_is_gone_fails_alone(server, tmp_path):
    assert server.run(tmp_path / "gone.py") == (1, "")
    assert server.run(script(tmp_path, "")) == (0, "")


def test_what_a_job_imports_the_next_one_finds_imported(monkeypatch, tmp_path):
    """And no job finds what another has changed of it."""
    (tmp_path / "library").mkdir()
    script(tmp_path / "library", "import os; number = os.getpid()", "slow_to_import.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    server = Server(monkeypatch, tmp_path)
    made = script(
        tmp_path,
        """
import os, sys
def work():
    import slow_to_import
    with open(snakemake.output[0], "a") as file:
        print(slow_to_import.number == os.getpid(), len(sys.path), file=file)
    slow_to_import.number = os.getpid()
if __name__ == "__main__":
    work()
""",
    )
    for _ in range(4):
        assert server.run(made) == (0, "")
    lines = made.with_suffix(".out").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["True", "False", "False", "False"]
    assert len({line.split()[1] for line in lines}) == 1
    server.connection.close()


def test_what_lies_in_the_working_directory_is_no_module(monkeypatch, tmp_path):
    """It may be a folder of films, or of anybody's files."""
    work = tmp_path / "work"
    work.mkdir()
    for name in ("json", "selectors", "numpy", "msgpack"):
        (work / f"{name}.py").write_text("raise SystemExit('taken for a module')")
    server = Server(monkeypatch, work)
    made = script(tmp_path, "import json, numpy, msgpack")
    assert server.run(made) == (0, "")
    server.connection.close()


def test_an_end_of_the_server_ends_its_jobs_and_the_next_job_has_another(server, tmp_path):
    """As where memory runs out: a job that its run takes for failed must not go on."""
    pid = tmp_path / "pid"
    made = script(tmp_path, f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
                  "time.sleep(60)")  # fmt: skip
    told = []
    asking = threading.Thread(target=lambda: told.append(server.run(made)))
    asking.start()
    wait_for(lambda: pid.exists() and pid.read_text())
    job = psutil.Process(int(pid.read_text()))
    assert job.name() == "make"  # what `top` shows
    server.connection._process.kill()
    asking.join(10)
    assert told == [
        (0, "the process that runs scripts has ended; the log of Snakemake may say why")
    ]
    assert server.connection.is_gone
    wait_for(lambda: not job.is_running() or job.status() == psutil.STATUS_ZOMBIE)


def test_a_run_that_is_killed_leaves_its_jobs_to_end(tmp_path):
    """As with Snakemake's own: the library says that they are still at work."""
    ended = tmp_path / "ended"
    made = script(tmp_path, f"import time; time.sleep(1); open({str(ended)!r}, 'w')")
    program = f"""
import sys
sys.path[:0] = {[str(Path(executor.LIBRARY)), str(Path(__file__).parent)]!r}
sys.path += {sys.path!r}
import os, pathlib, pytest, threading
import test_script_server as tests
server = tests.Server(pytest.MonkeyPatch(), pathlib.Path({str(tmp_path)!r}))
threading.Thread(target=lambda: server.run(pathlib.Path({str(made)!r})), daemon=True).start()
print(server.connection._process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as run:
        server = psutil.Process(int(run.stdout.readline()))
        wait_for(lambda: server.children())
        run.kill()
    wait_for(ended.exists)
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


def test_a_signal_is_for_the_jobs_and_not_for_the_server(server, tmp_path):
    ready = tmp_path / "ready"
    made = script(
        tmp_path,
        f"""
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
open({str(ready)!r}, "w")
time.sleep(60)
""",
    )
    told = []
    asking = threading.Thread(target=lambda: told.append(server.run(made)))
    asking.start()
    wait_for(ready.exists)
    server.connection._process.send_signal(signal.SIGINT)
    server.connection._process.send_signal(signal.SIGTERM)
    signals.tell_jobs(signal.SIGTERM)
    asking.join(10)
    assert told == [(7, "")]
    assert server.run(script(tmp_path, "", "other.py")) == (0, "")


def test_a_stop_while_modules_are_imported_starts_no_job(monkeypatch, tmp_path):
    """Until it is forked, there is no job to be told."""
    (tmp_path / "library").mkdir()
    importing = tmp_path / "importing"
    slow = f"import time; open({str(importing)!r}, 'a').write('x'); time.sleep(2)"
    script(tmp_path / "library", slow, "slow_to_import.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    server = Server(monkeypatch, tmp_path)
    first = script(tmp_path, "import slow_to_import")
    assert server.run(first) == (0, "")
    wait_for(lambda: importing.read_text() == "xx")
    told = []
    made = script(tmp_path, "raise SystemExit(3)", "other.py")
    asking = threading.Thread(target=lambda: told.append(server.run(made)))
    asking.start()
    time.sleep(0.3)
    signals.tell_jobs(signal.SIGTERM)
    asking.join(10)
    assert told == [(-signal.SIGTERM, "")]
    assert server.run(made) == (3, "")
    server.connection.close()


def test_what_a_module_prints_and_starts_when_it_is_imported_is_nobodys(
    monkeypatch, tmp_path, capfd
):
    (tmp_path / "library").mkdir()
    script(
        tmp_path / "library",
        "import subprocess, sys; print('noise'); subprocess.Popen([sys.executable, '-c', ''])",
        "noisy.py",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    server = Server(monkeypatch, tmp_path)
    made = script(tmp_path, "import noisy")
    for _ in range(4):
        assert server.run(made) == (0, "")
        time.sleep(0.2)
    server.connection.close()
    assert capfd.readouterr().out.count("noise") == 1  # the first job's own


def test_a_job_ends_with_its_last_thread(server, tmp_path):
    done = tmp_path / "done"
    text = "import threading, time\n"
    text += f"threading.Thread(target=lambda: (time.sleep(0.5), open({str(done)!r}, 'w'))).start()"
    assert server.run(script(tmp_path, text)) == (0, "")
    assert done.exists()


def test_snakemake_runs_what_needs_it_itself(tmp_path):
    """Parameters that JSON can't hold, and scripts of other languages."""
    library = Workspace(tmp_path / "work", tmp_path / "videos")
    make_video(library.videos / "one.mp4", *random_story(seed=3, seconds=2), 160, 90)
    library.config["stages"] = ["scenes"]
    library.run("results/one/media.json")
    project = tmp_path / "project"
    shutil.copytree(library.snakefile.parent / "rules", project / "rules")
    for name in ("Snakefile", "config.yaml", "profiles", "scripts"):
        (project / name).symlink_to(library.snakefile.parent / name)
    (project / "Snakefile").unlink()
    text = library.snakefile.read_text()
    text += """

rule odd:
    output:
        "odd.txt",
    params:
        odd={1, 2},
        path=lambda wildcards: Path("a"),
    script:
        "odd.py"


rule shell_script:
    output:
        "shell.txt",
    script:
        "made.sh"
"""
    (project / "Snakefile").write_text(text)
    script(
        project,
        "open(snakemake.output[0], 'w').write(repr(sorted(snakemake.params.odd)))",
        "odd.py",
    )
    (project / "made.sh").write_text('echo made > "${snakemake_output[0]}"\n')
    library.snakefile = project / "Snakefile"
    library.run("odd.txt", "shell.txt")
    assert (library.folder / "odd.txt").read_text() == "[1, 2]"
    assert (library.folder / "shell.txt").read_text() == "made\n"


def test_what_jobs_have_imported_works_for_the_next_as_it_did_for_them(server, tmp_path):
    """Imported one by one in another order, asyncio's halves do not find each other."""
    made = script(
        tmp_path,
        """
import asyncio
from pathlib import Path


async def task():
    return asyncio.current_task() is not None


Path(snakemake.output[0]).write_text(str(asyncio.new_event_loop().run_until_complete(task())))
""",
    )
    for _ in range(3):
        assert server.run(made)[0] == 0
        assert made.with_suffix(".out").read_text() == "True"
