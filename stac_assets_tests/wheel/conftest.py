"""An environment of its own with the wheel in it: two minutes, and no network but that of pip."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stac_assets_tests.conftest import CONFIGURING, REPOSITORY


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what git has, or would have."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (REPOSITORY / name).is_file() and name.startswith(
            ("stac_assets/", "notebooks/", "pyproject", "README", "LICENSE")
        ):
            target = folder / "source" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
    subprocess.run([*build, str(folder / "source")], check=True, timeout=600)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def names(wheel: Path) -> list[str]:
    """The files in the wheel."""
    return zipfile.ZipFile(wheel).namelist()


@pytest.fixture(scope="session")
def bin(wheel: Path) -> Path:
    """The commands of a fresh environment that has the wheel and what it needs."""
    environment = wheel.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=600)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    constraints = ["--disable-pip-version-check", "--constraint", str(REPOSITORY / "constraints.txt")]
    subprocess.run([*pip, *constraints, str(wheel)], check=True, timeout=1800)
    return environment / "bin"


@pytest.fixture
def user(bin: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has activated it, and is not in a clone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith((*CONFIGURING, "PYTHON"))}
    return {
        **own,
        "PATH": f"{bin}:{own['PATH']}",
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
        "HOME": str(tmp_path),
    }
