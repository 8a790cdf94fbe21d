"""The files of a new project, of which only the settings depend on its API."""

import os
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from stac_assets.catalog import Catalog
from stac_assets.cli.agents import TEMPLATE, Example, agents_page
from stac_assets.settings.section import COMMON
from stac_assets.stac.errors import ConfigurationError

CONFIG = ".dlt/config.toml"
SECRETS = ".dlt/secrets.toml.example"
AGENTS = "AGENTS.md"
FILES = {
    CONFIG: "config.toml",
    SECRETS: "secrets.toml.example",
    "dagster.yaml": "dagster.yaml",
    "workspace.yaml": "workspace.yaml",
    ".gitignore": "gitignore",
    ".mcp.json": "mcp.json",
    AGENTS: TEMPLATE,
}
"""Where each file of a project comes from, in `stac_assets/cli/project/`."""
_HOST = "earth-search.aws.element84.com"
"""The host of the examples in these files."""


def refuse_overwriting(folder: Path) -> None:
    """Make sure that nothing in the way would be lost.

    Raises:
        ConfigurationError: the folder is none, or has one of the files.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder")
    there = [name for name in FILES if os.path.lexists(folder / name)]
    own = folder / ".dlt"
    if os.path.lexists(own) and not own.is_dir():
        there.insert(0, own.name)
    if there:
        raise ConfigurationError(
            f"{folder} has {', '.join(there)} already, and nothing is overwritten; give another folder, or "
            "move these away"
        )


def write_project(folder: Path, settings: Iterable[str], catalog: Catalog, example: Example) -> None:
    """Write the files of a project.

    Args:
        folder: of the project; it is made where it is not there.
        settings: lines of TOML that stand in the section.
        catalog: whose section, host and names stand in them.
        example: what the commands of `AGENTS.md` load.
    """
    section = catalog.section
    (folder / ".dlt").mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        text = (files("stac_assets") / "cli" / "project" / source).read_text(encoding="utf-8")
        text = text.replace(f"[{COMMON.key}", f"[{section.key}").replace(_HOST, catalog.host)
        if name == CONFIG:
            text = text.replace(f"[{section.key}]\n", "\n".join([f"[{section.key}]", *settings, ""]))
        elif name == AGENTS:
            text = agents_page(catalog, example)
        with (folder / name).open("x", encoding="utf-8") as file:
            file.write(text)
