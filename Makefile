# Everything happens in .venv, which is made on the first call; only Python 3.11 or later is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ALL_STAMP := $(VENV)/.installed-all
BENCH_STAMP := $(VENV)/.installed-bench
PGSTAC_STAMP := .venv-pgstac/.installed
ALONE := -ra --numprocesses=2 --dist=worksteal
SUITE := $(foreach each,exact lossless typed catalog_tables odd_documents,stac_assets_tests/test_$(each).py)

.PHONY: demo ui test test-apis test-destinations test-warehouses test-bigquery test-snowflake test-redshift test-databricks test-geoparquet test-changes test-concurrency test-examples test-deploy test-catalogs test-mcp test-soak test-upgrade test-browser test-explore test-catalog test-wide test-pgstac test-embedded-elt test-wheel test-newest lint types check bench bench-quick settings-table screenshots clean

demo: $(STAMP)  ## load the sample API into DuckDB through Dagster
	$(BIN)/stac-assets demo

ui: $(STAMP)  ## the sample API and Dagster's UI on .demo/
	$(BIN)/stac-assets demo --ui

test: $(STAMP)  ## the whole test suite
	$(BIN)/python -m pytest

test-apis: $(STAMP)  ## what APIs do beside the standard: each by itself, and any mixture of it
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2 --dist=worksteal" stac_assets_tests/apis

test-soak: $(STAMP)  ## what a load survives: kills, full disks, databases that go away, an API that fails; the demo, twice
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2" stac_assets_tests/soak

test-destinations: $(ALL_STAMP)  ## the suite on PostgreSQL, tables as files, and warehouses without an account
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --destination=postgres $(SUITE)
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/destinations

test-warehouses: test-bigquery test-snowflake test-redshift test-databricks  ## loads into what stands in for a warehouse

test-bigquery: $(ALL_STAMP) .venv-bigquery/.installed
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --warehouse=bigquery stac_assets_tests/warehouses

test-snowflake: $(ALL_STAMP) .venv-snowflake/.installed
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --warehouse=snowflake stac_assets_tests/warehouses

test-redshift: $(ALL_STAMP)
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --warehouse=redshift stac_assets_tests/warehouses

test-databricks: $(ALL_STAMP) .venv-databricks/.installed
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --warehouse=databricks stac_assets_tests/warehouses

test-geoparquet: $(ALL_STAMP) .venv-geoparquet/.installed  ## geometries, and exported files, read by others; some come from an environment of their own
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/geometry stac_assets_tests/geoparquet

test-concurrency: $(STAMP)  ## many runs at once, and two hosts that store into one PostgreSQL dataset
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2 --dist=loadfile" stac_assets_tests/concurrency

test-changes: $(ALL_STAMP)  ## the feed of changes, in DuckDB and in PostgreSQL: histories replayed, kills, Dagster
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/changes
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" --destination=postgres \
		--ignore=stac_assets_tests/changes/test_dagster.py stac_assets_tests/changes stac_assets_tests/test_unchanged.py

test-examples: $(STAMP)  ## examples/ and AGENTS.md, by the very commands that they name
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/examples

test-deploy: $(ALL_STAMP)  ## deploy/: its files, and a backfill over its processes of which one worker is killed
	$(BIN)/python -m pytest --override-ini addopts=-ra stac_assets_tests/deploy

test-catalogs: $(STAMP)  ## many catalogs side by side: their names, the view over all, and components in a guest's project
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2 --dist=worksteal" \
		stac_assets_tests/catalogs stac_assets_tests/component

test-mcp: $(ALL_STAMP)  ## what a code assistant is told by `stac-assets mcp`, and what it cannot do; DuckDB, PostgreSQL, files
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/mcp

test-upgrade: $(STAMP)  ## what a user of version 0.1.0 has: its tables, history, cursors and scripts, with this code
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2" stac_assets_tests/upgrade

test-browser: $(STAMP)  ## Dagster's UI in a headless Chromium, which has to be on the PATH
	$(BIN)/python -m pytest --override-ini addopts=-ra stac_assets_tests/browser

test-explore: $(ALL_STAMP)  ## the notebook of `stac-assets explore`: its cells, as a script, and in a headless Chromium
	$(BIN)/python -m pytest --override-ini addopts="$(ALONE)" stac_assets_tests/explore

test-catalog: $(STAMP)  ## a whole catalog, all its years, of an API that imitates pgstac
	$(BIN)/python -m pytest --override-ini addopts="-ra --numprocesses=2 --dist=worksteal" stac_assets_tests/pgstac

test-wide: $(STAMP)  ## tables of 1,500 columns
	$(BIN)/python -m pytest --override-ini addopts=-ra stac_assets_tests/test_wide_tables.py

test-pgstac: $(STAMP) $(PGSTAC_STAMP)  ## a whole catalog of stac-fastapi-pgstac; it needs Debian's postgresql-postgis
	$(BIN)/python -m pytest --override-ini addopts=-ra --pgstac stac_assets_tests/pgstac \
		stac_assets_tests/geometry/test_postgis.py

test-embedded-elt:  ## the definitions load where the old package name is still installed
	test -d .venv-embedded-elt || $(PYTHON) -m venv .venv-embedded-elt
	.venv-embedded-elt/bin/python -m pip install --quiet --disable-pip-version-check '.[embedded-elt]'
	.venv-embedded-elt/bin/python -c 'import dagster_embedded_elt.dlt; from stac_assets.definitions import defs; \
		print("embedded-elt:", len(list(defs.resolve_all_asset_specs())), "assets")'

test-wheel: $(STAMP)  ## the wheel in a fresh environment, and a project begun with it; some minutes, no network but pip
	$(BIN)/python -m pytest --override-ini addopts=-ra stac_assets_tests/wheel

test-newest:  ## the tests of dlt and Dagster on their newest releases; tells, and never fails
	PYTHON=$(PYTHON) .ci/newest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(ALL_STAMP)
	$(BIN)/pyright

check: lint types test

bench: $(BENCH_STAMP)  ## ours beside its peers, and the targets; WRITE=1 keeps the tables in benchmarks/README.md
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(WRITE),--write)

bench-quick:  ## the same with fewer items, in about two minutes
	@$(MAKE) --no-print-directory bench QUICK=1

settings-table: $(STAMP)  ## the table in docs/configuration.md, from the declaration of the settings
	$(BIN)/python -m stac_assets.settings.table

screenshots: $(STAMP)  ## docs/*.png, of Dagster's UI on the demo's data and on three sample catalogs, and of the notebook
	$(BIN)/python -m stac_assets_tests.browser.screenshots

clean:
	rm -rf $(VENV) .venv-bigquery .venv-databricks .venv-embedded-elt .venv-geoparquet .venv-newest .venv-pgstac .venv-snowflake .demo

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; try: make PYTHON=python3.11")'
	@echo "Installing into $(VENV); this takes a few minutes the first time ..."
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(ALL_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev-all]'
	touch $@

$(PGSTAC_STAMP): stac_assets_tests/pgstac/constraints.txt
	test -d .venv-pgstac || $(PYTHON) -m venv .venv-pgstac
	.venv-pgstac/bin/python -m pip install --quiet --disable-pip-version-check --constraint $< \
		stac-fastapi-pgstac 'pypgstac[psycopg]' uvicorn
	touch $@

# What is in .venv too is taken from there; the versions that disagree come first.
.venv-bigquery/.installed .venv-databricks/.installed .venv-snowflake/.installed: .venv-%/.installed: stac_assets_tests/warehouses/%.txt $(ALL_STAMP)
.venv-geoparquet/.installed: .venv-%/.installed: stac_assets_tests/geoparquet/readers.txt $(ALL_STAMP)
.venv-bigquery/.installed .venv-databricks/.installed .venv-geoparquet/.installed .venv-snowflake/.installed: .venv-%/.installed:
	test -d .venv-$* || $(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	$(BIN)/python -c 'import sys, sysconfig; here = sysconfig.get_path("purelib"); \
		print("import site; site.addsitedir(%r)" % here, file=open(sys.argv[1] + "/borrowed.pth", "w"))' \
		"$$(.venv-$*/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	touch $@

$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	touch $@
