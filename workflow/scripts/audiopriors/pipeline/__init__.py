"""The workflow's own part: paths, settings, jobs, tables and figures. It imports neither torch nor Snakemake."""
