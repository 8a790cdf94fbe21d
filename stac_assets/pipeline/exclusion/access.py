"""The access of one load to its dataset: it reads what is there, and holds the dataset while it stores."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from stac_assets.pipeline.destinations.base import Storage
from stac_assets.pipeline.exclusion.database_file import opened
from stac_assets.pipeline.exclusion.dataset import dataset_lock
from stac_assets.pipeline.exclusion.waiting import Hold, Tell
from stac_assets.pipeline.place import Place
from stac_assets.source import SOURCE_NAME

T = TypeVar("T")

logger = logging.getLogger("stac_assets")


class DatasetAccess:
    """The access of one load to its dataset.

    Args:
        storage: knows how the destination is read and locked.
        folder: for the working folder of the pipeline that reads.
        timeout: seconds to wait for others each time (`lock_timeout`).
        doing: what the load is called by those that wait for it.
        tell: told in a line who is waited for.
    """

    def __init__(
        self,
        storage: Storage,
        folder: Path,
        timeout: float,
        doing: str | None = None,
        tell: Tell = logger.info,
    ) -> None:
        self.storage = storage
        self.pipeline = storage.pipeline(folder)
        self._timeout = timeout
        self._doing = doing
        self._tell = tell

    @cached_property
    def place(self) -> Place:
        """Where the dataset is; dlt resolves its credentials for that, which takes a while."""
        return self.storage.place(self.pipeline)

    def held(self, *, to_store: bool = True) -> AbstractContextManager[Hold]:
        """Hold the dataset; to read from it alone, no server is asked for a lock."""
        pipeline = self.pipeline if to_store else None
        return dataset_lock(
            self.storage, self.place, self._timeout, pipeline, doing=self._doing, tell=self._tell
        )

    def read(self, query: Callable[[], T], hold: Hold | None = None) -> T | None:
        """The result of `query` on the dataset; None where there is no DuckDB file yet.

        A DuckDB file lets one process in. A server answers while somebody stores.

        Args:
            query: asks the pipeline.
            hold: where the dataset is held already.
        """
        file = self.place.file
        if file is None:
            return query()
        if not file.exists():
            return None
        if hold is not None:
            return opened(file, query, hold.wait)
        with self.held(to_store=False) as hold:
            return opened(file, query, hold.wait)

    def recorded_owner(self) -> str | None:
        """The API that the destination says its dataset mirrors."""
        with self.pipeline.destination_client() as client:
            return self.owner_told_by(client)

    def owner_told_by(self, client: Any) -> str | None:
        """The same, told by an open client: by the state that dlt keeps there."""
        try:
            state = load_pipeline_state_from_destination(self.pipeline.pipeline_name, client)
        except DestinationUndefinedEntity:
            return None
        return state.get("sources", {}).get(SOURCE_NAME, {}).get("base_url") if state else None
