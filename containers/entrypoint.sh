#!/bin/sh
# `reel ...`, or else a run: `snakemake --cores 4`, or just `--cores 4`.
set -eu
case "${1-}" in
    reel) exec "$@" ;;
    snakemake) shift ;;
esac
exec snakemake --snakefile /app/Snakefile "$@"
