"""Asking Dagster's storage in the midst of a step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unlogged() -> Iterator[None]:
    """A block in which the storage's database is used without a word in the log.

    Where Dagster keeps the messages of all loggers, down to DEBUG, SQLAlchemy's would be stored while the
    storage is locked for the very statement that they tell of, and wait for it for ever.
    """
    disabled = logging.root.manager.disable
    logging.disable(max(disabled, logging.INFO))
    try:
        yield
    finally:
        logging.disable(disabled)
