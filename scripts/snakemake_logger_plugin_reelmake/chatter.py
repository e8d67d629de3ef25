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
    "Removing temporary output",
    "Would remove temporary output",
    "Removing output files of failed job",
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


def is_chatter(message: str) -> bool:
    """Whether a message of Snakemake's tells people nothing."""
    # "Cannot restore …: no backup found": an artifact that was not there before the job failed.
    return message.startswith(BEGINNINGS) or "no backup found" in message or not message.strip()
