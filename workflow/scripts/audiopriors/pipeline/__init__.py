"""What the workflow knows: paths, settings, jobs, tables and figures. Imports neither torch nor Snakemake."""
