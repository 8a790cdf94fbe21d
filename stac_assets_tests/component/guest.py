"""A guest's Dagster project, with an executor, a resource, assets and dynamic partitions of its own."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
TYPE = "stac_assets.StacCatalogComponent"
PYPROJECT = """
[project]
name = "guest"
version = "0.1.0"
requires-python = ">=3.11"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "guest"
"""
DEFINITIONS = """
from pathlib import Path

import dagster as dg
from dagster_dlt import DagsterDltResource

theirs = dg.DynamicPartitionsDefinition(name="collections")


@dg.asset(partitions_def=theirs)
def orders() -> None: ...


@dg.asset(deps=[dg.AssetKey(["raw", "west", "search"])])
def map_of_the_west() -> None: ...


@dg.definitions
def defs():
    own = dg.Definitions(
        assets=[orders, map_of_the_west],
        resources={"dlt": DagsterDltResource()},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(own, dg.load_from_defs_folder(path_within_project=Path(__file__).parent))
"""


class Guest:
    """The project; nothing in it is ours but what a test writes there.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "src" / "guest"
        self.defs = self.package / "defs"
        self.defs.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (self.package / "definitions.py").write_text(DEFINITIONS, encoding="utf-8")
        for package in (self.package, self.defs):
            (package / "__init__.py").touch()

    def define(self, name: str, text: str) -> None:
        """Write a `defs.yaml` in a folder of that name."""
        (self.defs / name).mkdir(exist_ok=True)
        (self.defs / name / "defs.yaml").write_text(text, encoding="utf-8")

    def files(self) -> set[str]:
        """What stands in the project, without what Python compiles."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {path.as_posix() for path in found if "__pycache__" not in path.parts}

    def run(self, command: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a program that is installed beside this Python in the project's folder."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder / "src"),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "DAGSTER_HOME": "",
            "COLUMNS": "200",
            **variables,
        }
        return subprocess.run(
            [BIN / command, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def dg(self, *arguments: str, **variables: str) -> str:
        """Run `dg`, which has to succeed, and return what it prints."""
        done = self.run("dg", *arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
