#!/bin/bash
# properties = {properties}
# A signal ends a shell that waits: what it has started would be killed in the middle of an item.
set -m
{exec_job} &
child=$!
trap 'kill -TERM -- "-$child"' TERM
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
done
exit "$status"
