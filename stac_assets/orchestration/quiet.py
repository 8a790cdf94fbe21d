"""Using Dagster's storage in the midst of a step."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

DATABASE_LIBRARIES = ("sqlalchemy", "alembic")
"""Packages that log while the storage is locked."""
FIRST_USED = ("sqlalchemy.engine.Engine", "sqlalchemy.pool.impl.NullPool", "sqlalchemy.pool.impl.QueuePool")
"""Loggers of theirs that may not exist yet when a block begins."""


@contextmanager
def quiet_storage() -> Iterator[None]:
    """A block in which this thread uses Dagster's storage, and what its database library logs is dropped.

    Dagster can be told to keep the messages of all loggers, down to DEBUG. Then SQLAlchemy's messages would
    be stored while this thread holds the storage's lock, and it would wait for itself for ever. Dagster's own
    handler ignores the filters that are added to it, so the loggers get them.
    """
    thread = threading.get_ident()

    def is_of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    known = {name for name in list(logging.root.manager.loggerDict) if name.startswith(DATABASE_LIBRARIES)}
    loggers = [logging.getLogger(name) for name in sorted(known | set(FIRST_USED))]
    for logger in loggers:
        logger.addFilter(is_of_another_thread)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_of_another_thread)
