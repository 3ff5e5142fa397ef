.PHONY: run setup upgrade test test-quick test-slow test-random check bench demo clean

run: ## set up and run the miner and its panel until Ctrl-C
	@bin/run

setup: ## install, write .env, migrate, make the first admin
	@bin/setup

upgrade: ## to the newest release, with a backup; back to this version if it does not answer
	@bin/upgrade

test: ## the test suite; make test ARGS="-k gate" for a part
	@bin/test $(ARGS)

test-quick: ## the tests that start no process and no browser and try few examples; within a minute
	@TEST_PROCESSES=$${TEST_PROCESSES:-2} bin/test -m "not slow and not long and not process and not browser and not postgres and not hypothesis" $(ARGS)

test-slow: ## attacks, kills, a full disk, a newcomer's first start, the rest on Postgres; about half an hour
	@bin/test -m slow $(ARGS)

test-random: ## tests of properties with random examples; prints how to repeat a run
	@bin/test-random $(ARGS)

check: ## lint, types, imports, migrations, settings, templates
	@bin/check

bench: setup ## benchmarks by name: make bench ARGS="step reading gate pages attack real peers"; the first three by default
	@.venv/bin/python -m bench $(ARGS)

demo: ## everything against fake Chutes, with steps coming in
	@bin/demo

clean: ## remove what can be made again; data/ and .env stay
	rm -rf .venv .venv-peers staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
