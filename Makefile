.PHONY: run setup test test-faults check bench bench-gate bench-journal bench-pages bench-pruning bench-real bench-peers demo clean

run: ## set up and run the miner and its panel until Ctrl-C
	@bin/run

setup: ## install, write .env, migrate, make the first admin
	@bin/setup

test: ## the whole test suite; make test ARGS="-k gate" for a part
	@bin/test $(ARGS)

test-faults: ## kill parts of the worker twenty times, and see that no job is lost; takes about a quarter of an hour
	@bin/test minerpanel/tests/faults.py -n 0 -s

check: ## lint, types, imports, migrations, settings, templates
	@bin/check

bench: setup ## how long a step takes, beside a bare "hello"; what a decision and reading a page cost
	@.venv/bin/python -m bench

bench-gate: setup ## how the gate fares against hidden accounts, on a virtual clock
	@.venv/bin/python -m bench.gate $(ARGS)

bench-pages: setup ## how long pages take at a million steps; ARGS="--steps 200000" for fewer
	@.venv/bin/python -m bench.pages $(ARGS)

bench-journal: setup ## how fast a miner's journal is imported, and in how much memory
	@.venv/bin/python -m bench.journal $(ARGS)

bench-pruning: setup ## how long writes wait while old records are deleted at a million steps
	@.venv/bin/python -m bench.pruning $(ARGS)

bench-real: setup ## whether the simulation tells the truth: twenty minutes at real speed
	@.venv/bin/python -m bench.real $(ARGS)

bench-peers: ## this miner beside the libraries that people use, for real; takes about six minutes
	@bin/bench-peers $(ARGS)

demo: ## everything against a stand-in for Chutes, with steps coming in
	@bin/demo

clean: ## remove what can be made again; data/ and .env stay
	rm -rf .venv .venv-peers staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
