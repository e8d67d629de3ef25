"""What the rules ask for: targets, fingerprints and settings. The only functions in rules/."""

import functools
import os
import shutil
import signal
import sys
import tempfile
import time
import weakref
from pathlib import Path

from snakemake.logging import logger
from snakemake.resources import Resource
from snakemake_interface_executor_plugins.settings import ExecMode

from reelmake import import_from_here
from reelmake.editing import languages
from reelmake.foundation import process_identity, slurm
from reelmake.foundation.errors import UserError, explain
from reelmake.foundation.text import printable
from reelmake.jobs import run_context as contexts
from reelmake.jobs import restored_outputs, shares, signals
from reelmake.jobs.gpus import devices, takes_gpus
from reelmake.library import config as configuration
from reelmake.library import config_checks
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
from reelmake.library.work_left import WorkLeft
from reelmake.reel import run_summary, share_sizes

CATALOG = "results/catalog.json"
CATALOG_RULES = {"catalog", "update_catalog", CATALOG}


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

SHARES = shares.FOLDER
# What this run is over, where it is a part of another one.
THIS_SHARE = shares.of_this_run() if workflow.exec_mode == ExecMode.DEFAULT else None

if THIS_SHARE:
    process_identity.end_with_parent(signal.SIGTERM)

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
    also = named_stages(dag.targets)
    config_checks.check_asked(settings, also)
    part = THIS_SHARE.videos if THIS_SHARE else None
    found = Library(settings, real, say, also, part, can_try=has_models)
    if workflow.exec_mode == ExecMode.DEFAULT:  # else a job, which reads sidecars and writes none
        forced_rules = set(dag.forcerun) - CATALOG_RULES
        complete = dag.forceall or forced_rules or dag.forcetargets or only_inspects()
        prune = settings["prune"] and not complete
        if not is_cluster() and workflow.global_resources.get("gpu").value is None:
            # One job at a time that asks for the GPU; in a job of a cluster, for each it was given.
            given = len(devices()) if THIS_SHARE and slurm.this_job() else 1
            workflow.global_resources["gpu"] = Resource("gpu", max(1, given))
        if real:
            fork_scripts()
        if is_cluster():
            restored_outputs.keep(workflow.persistence)
        most = settings["share"]["films"] if may_share() else None
        found.prepare(
            prune,
            only=named_videos(dag.targets),
            count=lambda video, wanted: work_left().add(RESULTS / video, wanted),
            # Each job of a cluster costs a Snakemake of its own: it does a share.
            most=0 if most and is_cluster() else most,
        )
        if found.unfinished and not only_inspects():
            say_missing_models()
            if "translations" in chosen(settings["stages"]) | set(also):
                # Now, and not in each job.
                languages.to_translate_into(settings["translations"]["languages"])
        for gone in sorted(set(part or ()) - set(found.videos)):
            logger.error(f"reelmake: {gone}: its film is gone since the run began")
    return found


def may_share():
    """Whether this run may be cut into shares: it asks for targets alone, which all videos have."""
    if THIS_SHARE or only_inspects() or workflow.exec_mode != ExecMode.DEFAULT:
        return False
    dag = workflow.dag_settings
    if dag.until or dag.omit_from or dag.batch:  # which say which jobs of one graph
        return False
    return set(dag.targets) <= {"all", *TARGETS}


@functools.cache
def work_left():
    """What the shares of this run have to do, in all."""
    named = None if asks_for_all() else named_stages(workflow.dag_settings.targets)
    return WorkLeft(forced(), named)


@functools.cache
def share_files():
    """The files of the shares that this run is cut into; none where it is not."""
    if not may_share() or not (library() and work_left().why):
        return {}
    films, run = settings["share"]["films"], f"{began:.0f}-{os.getpid()}"
    if is_cluster():
        films = min(films, films_of_a_job())
    if workflow.dryrun:
        folder = library().elsewhere / "shares"
    else:
        shares.clear()
        folder = SHARES / run
    paths = shares.write(
        folder,
        library().unfinished,
        films,
        command=sys.argv[1:],
        snakefile=str(workflow.main_snakefile),
        folder=os.getcwd(),
        started_in=workflow.workdir_init,
    )
    logger.info(
        f"reelmake: {len(library().unfinished):,} videos, in {len(paths):,} shares of up to "
        f"{films:,} (share.films)",
        extra={
            "shares": {
                "folder": str(folder),
                "why": work_left().why,
                "videos": len(library().unfinished),
            }
        },
    )
    return {f"{SHARES}/{run}/{path.stem}.done": str(path) for path in paths}


def films_of_a_job():
    """How many videos a job of a cluster gets."""
    videos, minutes = len(library().unfinished), settings["share"]["minutes"]
    jobs = {stage: whys.total() for stage, whys in work_left().why.items()}
    fitting = share_sizes.films(RESULTS, jobs, videos, minutes) if minutes else None
    # Where nobody knows: a share for each job that may be there at once.
    return fitting or -(-videos // (workflow.resource_settings.nodes or 1))


def share_file(wildcards):
    """An input function: the file that lists the videos of a share."""
    made = f"{SHARES}/{wildcards.run}/{wildcards.share}"
    return share_files().get(f"{made}.done", f"{made}.json")


def has_models(stage):
    """Whether a run may do better at a stage that films went on without: its models are here."""
    from reelmake.models import needed_models

    return needed_models.are_here(settings, stage)


def say_missing_models():
    """Say it now, and not in each job."""
    from reelmake.models import needed_models

    made = named_stages(workflow.dag_settings.targets)
    if asks_for_all():
        made |= chosen(settings["stages"])
    if (line := needed_models.missing(settings, made)) is not None:
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


def is_cluster():
    """Whether jobs are submitted, and run elsewhere."""
    return not workflow.dryrun and not only_inspects() and workflow.executor_plugin.name != "local"


def only_inspects():
    return workflow.executor_plugin is None or workflow.touch


def say(line):
    if THIS_SHARE is None:  # else the run that this one is a part of has said it, of all
        logger.info(f"reelmake: {printable(line)}")


def sum_up():
    """Say what became of this run, which has just ended."""
    # Nothing asks for it where only models were downloaded.
    if THIS_SHARE is None and library.cache_info().currsize and not only_inspects():
        left_out = len(library().left_out | library().growing)
        for line in run_summary.lines(RESULTS, began, time.time(), left_out, sys.argv, has_models):
            say(line)
        update_catalog_at_end()
        if share_files() and any(
            os.path.getsize(done) for done in share_files() if os.path.exists(done)
        ):
            raise SystemExit(1)  # videos failed, though each share came to its end


def asks_for_all():
    """Whether the command line asks for what a plain run makes."""
    targets = workflow.dag_settings.targets
    return "all" in targets or not targets


def names_catalog(wildcards=None):
    """Whether the command line asks for the catalog by name."""
    dag = workflow.dag_settings
    return bool(CATALOG_RULES & {*dag.targets, *dag.forcerun})


def wants_catalog():
    """Whether this run is to bring the catalog up to date."""
    if THIS_SHARE or workflow.exec_mode != ExecMode.DEFAULT or workflow.touch:
        return False
    return names_catalog() or (asks_for_all() and "catalog" in settings["stages"])


def rebuilds_catalog(wildcards=None):
    """Whether -F, -R or -f wants the catalog made anew."""
    dag = workflow.dag_settings
    named = {*dag.forcerun, *(dag.targets if dag.forcetargets else [])}
    return dag.forceall or bool(CATALOG_RULES & named)


@functools.cache
def catalog_is_current():
    """Whether the catalog has all that was on disk when this run began."""
    from reelmake.catalog import updating

    match = settings["speakers"]["match"]
    return not rebuilds_catalog() and updating.is_current(RESULTS, match)


@or_exit
def catalog_if_stale(wildcards):
    """An input function: what says that the catalog is up to date, if the run has to see to it."""
    if not wants_catalog() or workflow.dag_settings.batch:
        return []
    return CATALOG if library().unfinished or not catalog_is_current() else []


@or_exit
def catalog_or_nothing(wildcards):
    """An input function: the same of what is on disk, whatever else is to be made of films."""
    # Without any input the target would always run: name a file that is always there.
    return str(Path(workflow.basedir, "config.yaml")) if catalog_is_current() else CATALOG


@or_exit
def before_catalog(wildcards):
    """An input function: what has to be there before the catalog is brought up to date."""
    if asks_for_all():
        stages = lasting_stages()
    else:
        named = named_stages(workflow.dag_settings.targets)
        stages = [name for name in named if not STAGES[name].temporary]
    made = artifacts(*stages)(wildcards) if stages else []
    return [*([made] if isinstance(made, str) else made), catalog_request()]


@functools.cache
def catalog_request():
    """A file that is newer than the catalog's own where that is to be brought up to date."""
    path = Path(".snakemake", "reelmake.catalog.request")
    if path.exists() and catalog_is_current():
        return str(path)
    if workflow.dryrun or only_inspects():
        path = Path(tempfile.mkdtemp(prefix="reelmake-dry-run-"), path.name)
        weakref.finalize(workflow, shutil.rmtree, path.parent, ignore_errors=True)
    path.parent.mkdir(exist_ok=True)
    # Something new each time: of a small file Snakemake looks at the content, too.
    path.write_text(str(time.time_ns()))
    return str(path)


def update_catalog_at_end():
    """Have what became of films in the catalog where the run did not come to its rule: some
    failed, say. Not where the run was stopped: who stops it wants it to end."""
    if not wants_catalog() or workflow.dryrun or signals.is_stopping():
        return
    if library().unfinished or not catalog_is_current():
        from reelmake.catalog import updating

        match = settings["speakers"]["match"]
        if not updating.is_current(RESULTS, match):
            updating.try_update(RESULTS, say, stop=signals.is_stopping, match=match)


def artifacts(*stages):
    """An input function: what the stages make of each video that is not finished."""

    @or_exit
    def paths(wildcards):
        if share_files():
            return list(share_files())
        found = [
            path
            for video in library().unfinished
            for stage in stages
            if not STAGES[stage].urls or library().is_fetched(video)
            for path in made_by(stage, video)
        ]
        # Without any input the target would always run: name a file that is always there.
        return found or str(Path(workflow.basedir, "config.yaml"))

    return paths


def made_by(stage, video):
    """The paths of a stage's artifacts of one video."""
    return [f"results/{video}/{path}".rstrip("/") for path in artifact_paths(STAGES[stage], video)]


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


def optional(stage, upstream):
    """An input function: the artifacts of a stage that this one can do without, where it reads
    them."""

    @or_exit
    def paths(wildcards):
        config = library().config_of(wildcards.video)
        read = STAGES[stage].reads(
            upstream, chosen(config["stages"]), functools.partial(configuration.get, config)
        )
        return made_by(upstream, wildcards.video) if read else []

    return paths


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
    return workflow.global_resources.get("gpu").value or 1


def audio_limit():
    """How many videos may have temporary sound: those in work, and two."""
    given = workflow.resource_settings
    return (given.cores or given.nodes or 1) + 2


def kept(path):
    """Temporary unless the config keeps it."""
    return path if settings["keep_audio"] else temp(path)
