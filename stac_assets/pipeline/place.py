"""Where a dataset is, and where the files of a project are."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dlt.common.known_env import DLT_LOCAL_DIR

UNSAFE = frozenset("'%{}")
"""Characters that mean something in SQL or in a format, into which dlt 1.31 writes the paths of its files."""


@dataclass(frozen=True)
class Place:
    """Where the dataset of a pipeline is. Nothing here holds a credential.

    Args:
        destination_type: dlt's type of the destination, without its package.
        location: tells the place from every other of the same type.
        dataset_name: of the dataset there.
        file: the file that holds it, if one does that lets one process in.
        is_local: whether the rows lie on this machine, where no other one finds them.
        name: the place as people read it.
    """

    destination_type: str
    location: str
    dataset_name: str
    file: Path | None = None
    is_local: bool = False
    name: str = ""

    @property
    def turn(self) -> str:
        """What loads on this machine wait for that store there, one after the other.

        It is the dataset, or the file with all its datasets, however the path to it is written.
        """
        if self.file is not None:
            return f"{self.destination_type}|{self.file.resolve()}"
        return f"{self.destination_type}|{self.location}|{self.dataset_name}"

    def __str__(self) -> str:
        return self.name or f"{self.destination_type} {self.dataset_name}"


def project_folder() -> Path:
    """The current directory (or dlt's own override), in which everything we write lies."""
    return Path(os.environ.get(DLT_LOCAL_DIR, "."))


def runs_folder() -> Path:
    """The folder for the working folders of loads.

    It lies in the project, unless that has a name that dlt cannot write into its statements: it writes the
    paths of its files as they are, also where they hold a quote. The system's folder for temporary files
    has a place then.
    """
    folder = (project_folder() / ".dlt" / "runs").absolute()
    if not UNSAFE & set(str(folder)):
        return folder
    name = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"stac-assets-{name}"
