"""`stac-assets show`: dlt's dashboard on what was loaded.

dlt's own command for it asks for its `hub` extra, which has a licence of its own; the dashboard itself is
part of dlt and needs marimo and ibis only.
"""

import argparse
import os
from pathlib import Path
from typing import NoReturn

from dlt.common.exceptions import MissingDependencyException

from stac_assets.catalog import Catalog, read_catalog
from stac_assets.cli.console import INSTALL
from stac_assets.cli.marimo_server import become_marimo
from stac_assets.pipeline.target import target_of
from stac_assets.stac.errors import StacError

HOST = "127.0.0.1"


class DashboardUnavailable(StacError):
    """dlt's dashboard cannot be opened; the message says what to install or to load first."""


def run(arguments: argparse.Namespace) -> NoReturn:
    """Become the dashboard, so that whoever ends this process ends it."""
    catalog = read_catalog(arguments.catalog)
    folder, name = pipelines_folder(catalog), catalog.pipeline_name
    served = dashboard_arguments(name, folder, arguments.port, arguments.headless)
    print(f"dlt's dashboard of {name}: http://{HOST}:{arguments.port} (Ctrl-C ends it)", flush=True)
    become_marimo(served, os.environ)


def pipelines_folder(catalog: Catalog) -> Path:
    """The folder in which dlt finds the pipeline of a catalog.

    Raises:
        DashboardUnavailable: nothing was loaded from this folder yet.
    """
    target = target_of(catalog)
    folder = target.published_folders()[0].absolute()
    if not (folder / target.pipeline_name).is_dir():
        raise DashboardUnavailable(
            f"{folder} holds no pipeline {target.pipeline_name}: nothing was loaded from this folder yet. "
            f"Run `stac-assets load{catalog.flag}` first, or change to the project folder"
        )
    return folder


def dashboard_arguments(name: str, folder: Path, port: int, headless: bool) -> list[str]:
    """With what marimo serves the dashboard.

    Raises:
        DashboardUnavailable: what it needs is not installed.
    """
    try:
        from dlt._workspace.helpers.dashboard.runner import run_dashboard_command
    except MissingDependencyException as error:
        needed = ", ".join(error.dependencies)
        raise DashboardUnavailable(f"dlt's dashboard needs {needed}; install them: {INSTALL}") from None
    except ImportError as error:
        raise DashboardUnavailable(
            f"this version of dlt has no dashboard where 1.31 has it ({error}); "
            f"`dlt pipeline {name} show` opens it where dlt's `hub` extra is installed"
        ) from None
    # without its first word: the marimo of this Python is on the PATH only where its environment is activated
    return run_dashboard_command(name, pipelines_dir=str(folder), port=port, host=HOST, headless=headless)[1:]
