"""`stac-assets explore`: a notebook of marimo that shows what was loaded.

The notebook is `notebooks/explore.py` of a clone. The wheel brings it among its data, outside of the package.
"""

import argparse
import os
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path

from stac_assets.catalog import read_catalog
from stac_assets.cli.marimo_server import become_marimo
from stac_assets.stac.errors import StacError

HOST = "127.0.0.1"
NEEDED = ("marimo", "altair")
INSTALL = (
    "pip install 'stac-assets[explore]' (in a clone: pip install --constraint constraints.txt "
    "--editable '.[explore]')"
)
FOLDER, FILE = "notebooks", "explore.py"
SILENCE = {"RUNTIME__DLTHUB_TELEMETRY": "false", "MARIMO_SKIP_UPDATE_CHECK": "1"}
"""What keeps dlt from telling that it is used, and marimo from asking for its newest version."""


class NotebookUnavailable(StacError):
    """The notebook cannot be opened or written; the message says what to do."""


def run(arguments: argparse.Namespace) -> int:
    """Write the notebook to a file, or become its server, so that whoever ends this process ends that."""
    if arguments.to is not None:
        return _write(Path(arguments.to))
    if arguments.catalog is not None:
        read_catalog(arguments.catalog)  # which tells of one that is not configured
    served = server_arguments(arguments.port, arguments.headless, arguments.catalog)
    print(f"what was loaded: http://{HOST}:{arguments.port} (Ctrl-C ends it)", flush=True)
    become_marimo(served, {**os.environ, **SILENCE})


def notebook() -> Path:
    """The notebook of a clone, or else the one that the wheel brought.

    Raises:
        NotebookUnavailable: it is not installed.
    """
    clone = Path(__file__).parents[2]
    if (clone / "pyproject.toml").is_file() and (clone / FOLDER / FILE).is_file():
        return clone / FOLDER / FILE
    try:
        installed = files("stac-assets") or ()
    except PackageNotFoundError:
        installed = ()
    for path in installed:
        if path.parts[-2:] == (FOLDER, FILE) and (found := Path(str(path.locate()))).is_file():
            return found.resolve()
    raise NotebookUnavailable(
        f"the notebook {FOLDER}/{FILE} is not there: it comes with the wheel, and with a clone. "
        f"Install it again: {INSTALL}"
    )


def server_arguments(port: int, headless: bool, catalog: str | None = None) -> list[str]:
    """With what marimo serves the notebook, on this machine only.

    Raises:
        NotebookUnavailable: what it needs is not installed.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise NotebookUnavailable(f"the notebook needs {', '.join(missing)}; install them: {INSTALL}")
    served = ["run", str(notebook()), "--host", HOST, "--port", str(port)]
    served += ["--no-sandbox", "--no-check", "--no-show-tracebacks"]
    served += ["--headless"] if headless else []
    return [*served, "--", "--catalog", catalog] if catalog else served


def _write(target: Path) -> int:
    if target.exists():
        raise NotebookUnavailable(f"{target} is there already, and is not overwritten; name another file")
    try:
        target.write_bytes(notebook().read_bytes())
    except OSError as error:
        raise NotebookUnavailable(f"{target} cannot be written ({error.strerror or error})") from error
    print(
        f"{target}: open it with `marimo edit {target}`, or make it one of Jupyter with `marimo export ipynb`"
    )
    return 0
