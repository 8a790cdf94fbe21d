"""Using Dagster's storage in the midst of a step."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STORAGE_LOGGER = "sqlalchemy.engine"
"""Whose handlers, and those of its parents, get what the storage's database library logs."""


@contextmanager
def quiet_storage() -> Iterator[None]:
    """A block in which this thread uses Dagster's storage, and nothing that it logs is kept there.

    Dagster can be told to keep the messages of all loggers, down to DEBUG. Then SQLAlchemy's messages would
    be stored while this thread holds the storage's lock, and it would wait for itself for ever.
    """
    thread = threading.get_ident()

    def is_of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    handlers = list(_handlers(logging.getLogger(STORAGE_LOGGER)))
    for handler in handlers:
        handler.addFilter(is_of_another_thread)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(is_of_another_thread)


def _handlers(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None
