"""What `dlt pipeline … trace` shows of a load: the rows that it stored."""

from collections.abc import Mapping

from dlt.pipeline.pipeline import Pipeline
from dlt.pipeline.trace import save_trace


def tell_rows(pipeline: Pipeline, rows: Mapping[str, int]) -> None:
    """Let the trace of the last run say how many rows each table got.

    dlt counts the rows of its own files. They hold tombstones too, and where a destination takes the rows
    from the delivery, nothing else.

    Args:
        pipeline: which has stored.
        rows: of each table whose files hold tombstones.
    """
    trace = pipeline.last_trace
    if trace is None:
        return
    for step in (trace.last_extract_info, trace.last_normalize_info):
        for of_load in step.metrics.values() if step else ():
            for metrics in of_load:
                for table, count in rows.items():
                    counted = metrics["table_metrics"].get(table)
                    if counted is not None:
                        metrics["table_metrics"][table] = counted._replace(items_count=count)
    save_trace(pipeline.working_dir, trace)
