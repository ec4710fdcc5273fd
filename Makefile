# make         set up, then build the quick scale (toy data) and its report
# make music   set up, then the quick scale on the demo band and a real song, and their report
# make chorales   the same for chorales by Bach on sampled instruments; it adds what scores need to the environment
# make check   set up, then the unit tests (5 minutes)
# make test    set up, then all tests       make lint    set up, then the linters and the type checker
# make docs    build quick, music and chorales, then write docs/quick and the pages from them
# make pages   write README.md and docs/ from docs/templates       make site    ... and the site, in site/
# make ship    build quick, music and chorales, then write the priors that come with the package
# make verify  whether results are still what was written, and what would be made anew (SCALE=full: of another scale)
# make clean   remove results and the site (not the environment)
# docs/reproducibility.md has what they do without make.

SHELL := /bin/sh
export PATH := $(CURDIR)/.venv/bin:$(PATH)
UV := 0.13.8
SCALE := quick
READY := .venv/.ready
SCORES := .venv/.scores
TESTS := .venv/.tests
TRAINED := workflow/scripts/audiopriors/trained
WARM := python workflow/scripts/warm_python.py --run

.PHONY: quick music chorales check test lint docs pages site ship benchmark verify clean

quick: $(READY)
	$(WARM) snakemake --cores all --rerun-incomplete --logger rich -- quick

music: $(READY)
	$(WARM) snakemake --cores all --rerun-incomplete --logger rich -- quick_demo_band

chorales: $(SCORES)
	$(WARM) snakemake --cores all --rerun-incomplete --logger rich -- quick_chorales

check: $(TESTS)
	pytest -n 2 tests/unit

test: $(TESTS)
	pytest -n 2

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint
	mypy

docs: quick music chorales
	python workflow/scripts/copy_results.py --scale quick --to docs/quick
	python docs/fill.py

pages: $(READY)
	python docs/fill.py

site: pages
	sphinx-build --quiet --fail-on-warning --keep-going docs site

ship: $(SCORES)
	snakemake --cores all --rerun-incomplete --logger rich -- results/quick/shipped/toy results/quick/shipped/demo_band \
		results/quick/shipped/chorales
	rm -rf $(TRAINED) && cp -r results/quick/shipped $(TRAINED)

benchmark: $(READY)
	python benchmarks/training_step.py
	python benchmarks/training_step.py --prior wavenet --batch 1 --repeats 3
	python benchmarks/generation.py
	python benchmarks/ingest.py
	python benchmarks/memory.py
	python benchmarks/recording.py --minutes 1 10

verify: $(READY)
	python workflow/scripts/verify.py results/$(SCALE)
	snakemake --cores 1 --dry-run --quiet rules -- $(SCALE)

clean:
	rm -rf results .snakemake site

$(READY): pyproject.toml uv.lock
	@python3 -c 'import sys; sys.exit("error: python3 is %d.%d, but 3.11 or newer is needed" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet uv==$(UV)
	.venv/bin/uv sync --frozen --inexact --compile-bytecode --python .venv/bin/python
	@touch $@

$(SCORES): $(READY)
	.venv/bin/uv sync --frozen --inexact --compile-bytecode --group scores --python .venv/bin/python
	@touch $@

$(TESTS): $(SCORES)
	.venv/bin/uv sync --frozen --inexact --compile-bytecode --group tests --python .venv/bin/python
	@touch $@
