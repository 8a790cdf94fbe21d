"""By which rows of a load the partitions that it replaces differ from those that are stored."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from stac_assets.source.columns import FINGERPRINT, PARTITION_KEY
from stac_assets.source.spool_file import STORED_ITEM_COLUMNS, SpoolFile

STORED = "stored"
"""The column with the fingerprints of stored rows; null where there is no such row."""
SCHEMA = pa.schema([(name, pa.string()) for name in (PARTITION_KEY, "id", FINGERPRINT)])


def fingerprints(files: Iterable[SpoolFile], prefix: str) -> pa.Table:
    """Partition key, id and fingerprint of each row of some files; no other column is read.

    Args:
        files: of a spool.
        prefix: of the fingerprints of the load.
    """
    wanted = pa.ipc.IpcReadOptions(included_fields=[STORED_ITEM_COLUMNS.index(n) for n in SCHEMA.names])
    tables = [SCHEMA.empty_table()]
    for file in files:
        with pa.memory_map(str(file.path)) as source:
            tables.append(pa.ipc.open_file(source, options=wanted).read_all().select(SCHEMA.names))
    rows = pa.concat_tables(tables)
    return rows.set_column(2, FINGERPRINT, with_prefix(rows[FINGERPRINT], prefix))


def with_prefix(digests: pa.ChunkedArray, prefix: str) -> pa.ChunkedArray:
    """The fingerprints of rows, from their digests."""
    return pc.binary_join_element_wise(prefix, digests, "")  # type: ignore[attr-defined]


def differences(rows: pa.Table, stored: pa.Table) -> pa.Table:
    """The rows that are only in one of two tables, or not the same in both.

    Args:
        rows: partition key, id and fingerprint of what is to be stored.
        stored: the same of what is, under the same names.

    Returns:
        Partition key and id, both fingerprints; null is that of a table that has no such row.
    """
    if not stored.num_rows:
        return rows.append_column(STORED, pa.nulls(rows.num_rows, pa.string()))
    stored = stored.rename_columns([PARTITION_KEY, "id", STORED])
    known = stored.set_column(2, STORED, pc.fill_null(stored[STORED], ""))  # type: ignore[attr-defined]
    joined = rows.join(known, [PARTITION_KEY, "id"], join_type="full outer")
    same = pc.equal(joined[FINGERPRINT], joined[STORED])  # type: ignore[attr-defined]
    return joined.filter(pc.invert(pc.fill_null(same, False)))  # type: ignore[attr-defined]
