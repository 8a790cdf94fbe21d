"""What clients have in common whose load job takes the rows of a load from its delivery."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from dlt.common.destination.client import FollowupJobRequest, HasFollowupJobs, LoadJob, RunnableLoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset

from stac_assets.source.changes.feed import CHANGES
from stac_assets.source.columns import REJECTED
from stac_assets.source.delivery import Delivery
from stac_assets.source.taken_rows import TakenRows


class StoredByAnother(RunnableLoadJob, HasFollowupJobs):
    """Does nothing. It runs all the same, because dlt waits a second before it looks at one that does not."""

    def run(self) -> None:
        """Do nothing."""


class TakesRows(SqlJobClientWithStagingDataset):
    """A client that stores the tables whose rows a delivery holds by a job of its own, without staging.

    It comes before dlt's own client among the bases.
    """

    delivery: Delivery | None = None
    """The rows of the load; None to read only."""
    replacing: ClassVar[Callable[[str, TakenRows], LoadJob]]
    """Makes the job, from the path of dlt's load file and the rows."""

    def _taken(self, table: str | None) -> TakenRows | None:
        return self.delivery.taken(table) if self.delivery is not None else None

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:
        """Not where the job takes the rows."""
        return self._taken(table_name) is None and super().should_load_data_to_staging_dataset(table_name)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job that takes the rows, or dlt's. Changes are stored by the job of their items' rows."""
        if self.delivery is not None and self.delivery.stores_changes and table.get("name") == CHANGES:
            return StoredByAnother(file_path)
        if (rows := self._taken(table.get("name"))) is not None:
            made = type(self).replacing(file_path, rows)
            made.changes = self._taken(CHANGES) if table.get("name") != REJECTED else None  # type: ignore[attr-defined]
            return made
        return super().create_load_job(table, file_path, load_id, restore)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """None where the job has replaced the rows; else dlt's merge."""
        if self._taken(table_chain[0].get("name")) is not None:
            return []
        return super().create_table_chain_completed_followup_jobs(table_chain, completed_table_chain_jobs)
