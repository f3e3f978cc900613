# make demo: from an empty folder to a trained model and its report. make test: all tests. make quick: those not marked
# slow, about a minute. All can be run again at any time.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= runs/shapes
# the small CPU build of torch where there is no NVIDIA GPU
CONSTRAINTS := $(shell command -v nvidia-smi >/dev/null 2>&1 || echo "-c constraints-cpu.txt")

.PHONY: demo test quick check clean

demo: .venv/motes-installed
	@if [ -e $(OUT)/report.html ]; then \
		echo "$(OUT) is trained already; its report: $(OUT)/report.html (make clean starts anew)"; \
	elif [ -e $(OUT)/checkpoints/last ]; then \
		$(BIN)/motes train --resume $(OUT); \
	else \
		rm -rf $(OUT); $(BIN)/motes train dlp-quick --data.background paper --out $(OUT) $(DEMO_OPTIONS); \
	fi

# two processes of one thread each are quicker than one process of two threads
test: .venv/motes-dev-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

quick: .venv/motes-dev-installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

check: .venv/motes-dev-installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright

clean:
	rm -rf $(OUT)

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "motes needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/motes-installed: .venv/bin/python Makefile pyproject.toml constraints-cpu.txt
	$(BIN)/pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --editable '.[studio,video,digits]'
	@touch $@

.venv/motes-dev-installed: .venv/motes-installed
	$(BIN)/pip install --quiet --disable-pip-version-check $(CONSTRAINTS) --editable '.[dev]'
	@touch $@
