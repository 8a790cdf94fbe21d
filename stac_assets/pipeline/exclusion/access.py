"""The turns of one load at its dataset: to read who owns it, and to store."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.pipeline import Pipeline
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from stac_assets.pipeline.exclusion.dataset import Turn, dataset_lock
from stac_assets.pipeline.exclusion.waiting import Tell
from stac_assets.pipeline.target import Place, place_of
from stac_assets.source import SOURCE_NAME
from stac_assets.source.ownership import check_owner

T = TypeVar("T")

logger = logging.getLogger("stac_assets")


@dataclass
class Turns:
    """A load's turns at its dataset.

    Args:
        pipeline: of the dataset.
        timeout: seconds to wait for others at each turn (`lock_timeout`).
        doing: what the load is called by those that wait for it.
        tell: told in a line who is waited for.
    """

    pipeline: Pipeline
    timeout: float
    doing: str | None = None
    tell: Tell = logger.info

    @cached_property
    def place(self) -> Place:
        """Where the dataset is; dlt resolves its credentials for that, which takes a while."""
        return place_of(self.pipeline)

    def to_store(self) -> AbstractContextManager[Turn]:
        """Hold the dataset."""
        return dataset_lock(self.place, self.timeout, self.pipeline, doing=self.doing, tell=self.tell)

    def read(self, query: Callable[[], T]) -> T | None:
        """What `query` finds in the dataset; None where there is no DuckDB file yet.

        A DuckDB file lets one process in. A server answers while somebody stores.
        """
        file = self.place.file
        if file is None:
            return query()
        if not file.exists():
            return None
        with dataset_lock(self.place, self.timeout, doing=self.doing, tell=self.tell) as turn:
            return turn.opened(file, query)

    def check_owner(self, base_url: str) -> None:
        """Refuse, before anything is fetched, a dataset that mirrors another API.

        Raises:
            ConfigurationError: it does.
        """
        check_owner(self.read(self._recorded_owner), base_url)

    def _recorded_owner(self) -> str | None:
        """The API that the destination says its dataset mirrors, by the state that dlt keeps there."""
        name = self.pipeline.pipeline_name
        with self.pipeline.destination_client() as client:
            try:
                state = load_pipeline_state_from_destination(name, cast(WithStateSync, client))
            except DestinationUndefinedEntity:
                return None
        return state.get("sources", {}).get(SOURCE_NAME, {}).get("base_url") if state else None
