# make         set up, then build the quick scale (toy data) and its report
# make music   set up, then the quick scale on the demo band and a real song, and their report
# make check   set up, then the unit tests (3 minutes)
# make test    set up, then all tests       make lint    set up, then the linters
# make verify  whether results are still what was written, and what would be made anew
# make clean   remove results (not the environment)
# Each recipe is also written out in the README.

SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
UV := 0.13.8
READY := .venv/.ready
WARM := python workflow/scripts/warm_python.py --run

.PHONY: quick music check test lint docs benchmark verify clean

quick: $(READY)
	$(WARM) snakemake --cores all --rerun-incomplete --logger rich -- quick

music: $(READY)
	$(WARM) snakemake --cores all --rerun-incomplete --logger rich -- quick_demo_band

check: $(READY)
	pytest -n 2 tests/unit

test: $(READY)
	pytest -n 2

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

docs: quick music
	python workflow/scripts/copy_results.py --scale quick --to docs/quick

benchmark: $(READY)
	python benchmarks/training_step.py
	python benchmarks/training_step.py --prior wavenet --batch 1 --repeats 3
	python benchmarks/generation.py
	python benchmarks/ingest.py
	python benchmarks/memory.py

verify: $(READY)
	python workflow/scripts/verify.py results/quick
	snakemake --cores 1 --dry-run --quiet rules -- quick

clean:
	rm -rf results .snakemake

$(READY): pyproject.toml uv.lock
	@python3 -c 'import sys; sys.exit("error: python3 is %d.%d, but 3.11 or newer is needed" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet uv==$(UV)
	.venv/bin/uv sync --frozen --inexact --compile-bytecode --python .venv/bin/python
	@touch $@
