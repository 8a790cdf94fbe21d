"""Where a dataset is, and where the files of a project are."""

import os
from dataclasses import dataclass
from pathlib import Path

from dlt.common.known_env import DLT_LOCAL_DIR


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

    def __str__(self) -> str:
        return self.name or f"{self.destination_type} {self.dataset_name}"


def project_folder() -> Path:
    """The current directory (or dlt's own override), in which everything we write lies."""
    return Path(os.environ.get(DLT_LOCAL_DIR, "."))


def runs_folder() -> Path:
    """The folder for the working folders of loads."""
    return project_folder() / ".dlt" / "runs"
