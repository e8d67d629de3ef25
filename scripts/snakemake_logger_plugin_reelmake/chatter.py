"""What Snakemake says of itself, and nobody has to read."""

BEGINNINGS = (
    "Config file ",
    "Assuming unrestricted shared filesystem",
    "Using workflow specific profile",
    "Building DAG of jobs",
    "Using shell:",
    "Provided cores:",
    "Provided resources:",
    "Rules claiming more threads",
    "Conda environments: ignored",
    "Select jobs to execute",
    "Reasons:\n",
    "Some jobs were triggered by provenance information",
    "Rules with provenance triggered jobs:",
    "Removing temporary output",
    "Would remove temporary output",
    "Removing output files of failed job",
    "Restored previous version of ",
    "Exiting because a job execution failed",
    "Shutting down, this might take some time",
    "Will exit after finishing currently running jobs",
    "WorkflowError:\nAt least one job did not complete successfully",
    "Trying to restart job",
    "Complete log(s):",
    "Elapsed time:",
    "None",
    *("SLURM run ID:", "No SLURM account given", "No account was given"),
    *("Unable to guess SLURM account", "Cleaning up SLURM log files"),
)
"""Of messages that are not shown. Anything else is: a warning must not be lost."""

IN_OTHER_WORDS = {
    # Of a dry run alone, which goes on.
    "Error: Directory cannot be locked. Another Snakemake instance is running.": (
        "reelmake: a run is going on; what it has still to do is listed here, too"
    ),
}
"""Messages that would alarm people for nothing."""


def is_chatter(message: str) -> bool:
    """Whether a message of Snakemake's tells people nothing."""
    # "Cannot restore …: no backup found": an artifact that was not there before the job failed.
    return message.startswith(BEGINNINGS) or "no backup found" in message or not message.strip()
