"""Staging datasets: one for each load on servers that have no lock to hold, one that is emptied on others.

There dlt's own would be shared by the loads of all hosts, which would take each other's rows from it
(https://github.com/dlt-hub/dlt/issues/4297).
"""

import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from dlt.common.destination.client import WithStagingDataset
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline

from stac_assets.source.dlt_log import first_line

ABANDONED = timedelta(days=1)
"""Longer than any store takes: a staging dataset that is older was left by a run that crashed."""
TIME = "%Y%m%d%H%M%S"

logger = logging.getLogger("stac_assets")


def new_layout(now: datetime | None = None) -> str:
    """dlt's `staging_dataset_name_layout` for one load, named after the time."""
    return f"%s_staging_{(now or datetime.now(UTC)):{TIME}}_{uuid.uuid4().hex[:8]}"


@contextmanager
def dropped_afterwards(pipeline: Pipeline, now: datetime | None = None) -> Iterator[None]:
    """Drop the staging dataset of `pipeline` at the end, and those of the same dataset that others left.

    What is stored is stored without that, so that a server which refuses it is only warned about.
    """
    try:
        yield
    finally:
        try:
            with pipeline.sql_client() as client:
                for name in [client.staging_dataset_name, *_abandoned(client, now or datetime.now(UTC))]:
                    with client.with_alternative_dataset_name(name):
                        if client.has_dataset():
                            client.drop_dataset()
        except Exception as error:  # of any driver
            logger.warning(
                "a staging dataset was left in the destination (%s); the next load tries again",
                first_line(error),
            )


@contextmanager
def emptied_afterwards(pipeline: Pipeline) -> Iterator[None]:
    """Empty the staging tables of `pipeline` once it has stored, where all loads share a staging dataset."""
    yield
    trace = pipeline.last_trace
    if pipeline.default_schema_name is None or trace is None or trace.last_load_info is None:
        return  # nothing was loaded
    try:
        with pipeline.destination_client() as client:
            if not isinstance(client, SqlJobClientBase) or not isinstance(client, WithStagingDataset):
                return
            names = pipeline.default_schema.data_table_names(seen_data_only=True)
            with client.with_staging_dataset():
                there = [name for name, columns in client.get_storage_tables(names) if columns]
                if there:
                    client.sql_client.truncate_tables(*there)
    except Exception as error:  # of any driver; what is stored is stored
        logger.warning("staging tables were left as they are (%s); the next load empties them", error)


def _abandoned(client: Any, now: datetime) -> list[str]:
    """Staging datasets that are too old to be anybody's; a name's case is the server's."""
    named = re.compile(re.escape(client.dataset_name) + r"_staging_(\d{14})_[0-9a-f]{8}", re.IGNORECASE)
    rows = client.execute_sql("SELECT schema_name FROM information_schema.schemata") or ()
    found = [match for (name,) in rows if (match := named.fullmatch(name))]
    limit = now - ABANDONED
    return [m[0] for m in found if datetime.strptime(m[1], TIME).replace(tzinfo=UTC) < limit]
