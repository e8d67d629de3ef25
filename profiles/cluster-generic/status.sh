#!/bin/sh
# What Snakemake asks of a job: success, running or failed.
state=$(squeue --noheader --states=all --jobs="$1" --format=%T 2>/dev/null)
if [ -z "$state" ]; then # forgotten by the controller
    state=$(sacct --noheader --parsable2 --allocations --jobs="$1" --format=State 2>/dev/null)
fi
case "$state" in
    COMPLETED*) echo success ;;
    PENDING* | RUNNING* | CONFIGURING* | COMPLETING* | SUSPENDED* | REQUEUED* | STOPPED*) echo running ;;
    *) echo failed ;;
esac
