"""What clients have in common whose load job takes the rows of a load from its delivery."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.job_client_impl import SqlJobClientWithStagingDataset

from stac_assets.source.delivery import Delivery


class TakesRows(SqlJobClientWithStagingDataset):
    """A client that stores the tables whose rows a delivery holds by a job of its own, without staging.

    It comes before dlt's own client among the bases.
    """

    delivery: Delivery | None = None
    """The rows of the load; None to read only."""
    replacing: ClassVar[Callable[[str, Delivery], LoadJob]]
    """Makes the job, from the path of dlt's load file and the delivery."""

    def _takes_rows_of(self, table: str | None) -> bool:
        return self.delivery is not None and self.delivery.holds(table)

    def should_load_data_to_staging_dataset(self, table_name: str) -> bool:
        """Not where the job takes the rows."""
        return not self._takes_rows_of(table_name) and super().should_load_data_to_staging_dataset(table_name)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job that takes the rows, or dlt's."""
        if self.delivery is not None and self._takes_rows_of(table.get("name")):
            return type(self).replacing(file_path, self.delivery)
        return super().create_load_job(table, file_path, load_id, restore)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """None where the job has replaced the rows; else dlt's merge."""
        if self._takes_rows_of(table_chain[0].get("name")):
            return []
        return super().create_table_chain_completed_followup_jobs(table_chain, completed_table_chain_jobs)
