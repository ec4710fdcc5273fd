# docker build -t audiopriors . ; docker run --rm -v "$PWD/results:/audiopriors/results" audiopriors snakemake --cores all smoke
# With Apptainer: apptainer build audiopriors.sif docker-daemon:audiopriors:latest
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
WORKDIR /audiopriors
COPY pyproject.toml uv.lock README.md Makefile ./
COPY workflow/scripts/audiopriors workflow/scripts/audiopriors
RUN make .venv/.ready
COPY . .
ENV PATH=/audiopriors/.venv/bin:$PATH
CMD ["snakemake", "--cores", "all", "quick"]
