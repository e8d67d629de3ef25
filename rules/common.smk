"""What the rules ask for: targets, fingerprints and settings. The only functions in rules/."""

import functools
import sys
import time
from pathlib import Path

from snakemake.logging import logger
from snakemake_interface_executor_plugins.settings import ExecMode

from reelmake import import_from_here
from reelmake.foundation.errors import UserError, explain
from reelmake.foundation.text import printable
from reelmake.jobs import run_context as contexts
from reelmake.jobs import signals
from reelmake.jobs.gpus import takes_gpus
from reelmake.library import config as configuration
from reelmake.library.library import RESULTS, Library
from reelmake.library.stages import (
    STAGES,
    TARGETS,
    artifact_paths,
    chosen,
    forced_stages,
    named_stages,
    named_videos,
)
from reelmake.reel import run_summary


def or_exit(function):
    """A user's mistake ends the run with its message alone, without a traceback."""

    @functools.wraps(function)
    def wrapped(*args):
        try:
            return function(*args)
        except (UserError, OSError) as error:
            message = explain(error)[0] if isinstance(error, OSError) else str(error)
            logger.error(f"reelmake: {printable(message)}")
            raise SystemExit(1) from None

    return wrapped


@or_exit
def load_config(given):
    return configuration.load(given)


# Where pandas is installed, Snakemake imports it to look for tables among the parameters of jobs:
# 0.3 s and 80 MB in every run. There are none, unless another workflow includes this one.
if Path(workflow.main_snakefile).parent == Path(workflow.basedir):
    sys.modules.setdefault("pandas", None)

began = time.time()
settings = load_config(config)
import_from_here()


@functools.cache
def forced():
    """The stages that -F, -R or -f wants computed, though the cache may have their artifacts."""
    if workflow.exec_mode != ExecMode.DEFAULT:  # a job: Snakemake forces each that it starts
        return contexts.told_forced()
    dag = workflow.dag_settings
    named = {*dag.forcerun, *(dag.targets if dag.forcetargets else [])}
    return forced_stages(dag.forceall, named)


@functools.cache
def library():
    """The library of this run, prepared: locked, its servers asked, its sidecars written.

    The first input function that Snakemake asks has it prepared, and all others only look up what
    was found. Not sooner: that a run is a dry run, what it forces and what it is asked for,
    Snakemake does not know while it reads the Snakefile.
    """
    contexts.tell_forced(forced())
    dag = workflow.dag_settings
    real = not workflow.dryrun and not only_inspects()
    found = Library(settings, write=real, say=say, also=named_stages(dag.targets))
    if workflow.exec_mode == ExecMode.DEFAULT:  # else a job, which reads sidecars and writes none
        complete = dag.forceall or dag.forcerun or dag.forcetargets or only_inspects()
        prune = settings["prune"] and not complete
        if real:
            fork_scripts()
        found.prepare(prune, only=named_videos(dag.targets))
        if found.unfinished and not only_inspects():
            say_missing_models()
    return found


def say_missing_models():
    """Say it now, and not in each job."""
    from reelmake.models import needed_models

    also = named_stages(workflow.dag_settings.targets)
    if (line := needed_models.missing(settings, also)) is not None:
        say(line)


def fork_scripts():
    """Have scripts forked from one process, where this machine runs them."""
    from reelmake.jobs.executor import Executor

    if workflow.executor_plugin.name == "local":
        workflow.executor_plugin.executor = Executor


def nothing(wildcards):
    """The input of what is made of no file."""
    if not workflow.dryrun and not only_inspects():
        fork_scripts()
    return []


def only_inspects():
    return workflow.executor_plugin is None or workflow.touch


def say(line):
    logger.info(f"reelmake: {printable(line)}")


def sum_up():
    """Say what became of this run, which has just ended."""
    # Nothing asks for it where only models were downloaded.
    if library.cache_info().currsize and not only_inspects():
        left_out = len(library().left_out | library().growing)
        for line in run_summary.lines(RESULTS, began, time.time(), left_out, sys.argv):
            say(line)


def artifacts(*stages):
    """An input function: what the stages make of each video that is not finished."""

    @or_exit
    def paths(wildcards):
        found = [
            f"results/{video}/{path}".rstrip("/")
            for video in library().unfinished
            for stage in stages
            if not STAGES[stage].urls or library().is_fetched(video)
            for path in artifact_paths(STAGES[stage], video)
        ]
        # Without any input the target would always run: name a file that is always there.
        return found or str(Path(workflow.basedir, "config.yaml"))

    return paths


def lasting_stages():
    """The stages whose artifacts a plain run makes and keeps."""
    made = chosen(settings["stages"])
    return [stage for stage in STAGES if stage in made and not STAGES[stage].temporary]


def fingerprint(stage):
    """An input function: the sidecar that says what the stage's artifact is made from."""

    @or_exit
    def path(wildcards):
        if workflow.exec_mode != ExecMode.DEFAULT:
            return f"results/{wildcards.video}/fingerprints/{stage}.json"
        return library().sidecar(wildcards.video, stage)

    return path


@or_exit
def downloaded(wildcards):
    """An input function: the record of the download, if the video's source is a URL."""
    return f"results/{wildcards.video}/source.json" if library().is_fetched(wildcards.video) else []


def upstream(stage):
    """The artifacts, as patterns, of every stage that this one is made from in any case."""
    made = chosen(settings["stages"])
    return [
        f"results/{{video}}/{path}".rstrip("/")
        for name in STAGES[stage].upstream
        if name in made and not STAGES[name].urls
        for path in STAGES[name].artifacts
    ]


def run_context(stage):
    """A params function: where a job's tools are and how much it may take (`this.run`)."""

    def value(wildcards, threads):
        return contexts.of_job(
            library().config_of(wildcards.video),
            stage,
            threads,
            gpus_at_once(),
            audio_limit(),
            forced(),
        )

    return value


def gpus(stage):
    """How many GPUs a job of the stage takes on this machine."""
    return takes_gpus(settings, STAGES[stage])


def gpus_at_once():
    """How many jobs with a GPU the run starts at once on this machine."""
    given = workflow.global_resources.get("gpu")
    return given.value if given else 1


def audio_limit():
    """How many videos may have temporary sound: those in work, and two."""
    given = workflow.resource_settings
    return (given.cores or given.nodes or 1) + 2


def kept(path):
    """Temporary unless the config keeps it."""
    return path if settings["keep_audio"] else temp(path)
