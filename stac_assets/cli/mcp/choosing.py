"""Which catalog a tool is about, and a reader of its dataset."""

from collections.abc import Iterator
from contextlib import contextmanager

from dlt.common.schema import Schema

from stac_assets.catalog import Catalog, each_catalog
from stac_assets.pipeline.read_only.opening import reading
from stac_assets.pipeline.read_only.reader import NothingStored, Reader
from stac_assets.stac.errors import ConfigurationError


def usable() -> list[Catalog]:
    """The catalogs that can be used.

    Raises:
        ConfigurationError: what is wrong, where none can.
    """
    found = list(each_catalog())
    catalogs = [each for each in found if isinstance(each, Catalog)]
    for fault in found:
        if not catalogs and isinstance(fault, ConfigurationError):
            raise fault
    return catalogs


def catalog_called(name: str | None) -> Catalog:
    """A catalog by its name or by that of its pipeline; the only one, where no name is given.

    Raises:
        ConfigurationError: there is none, or several; the message names them.
    """
    catalogs = usable()
    if name is None and len(catalogs) == 1:
        return catalogs[0]
    for catalog in catalogs:
        if name is not None and name in (catalog.name, catalog.pipeline_name):
            return catalog
    names = ", ".join(catalog.pipeline_name for catalog in catalogs)
    said = "several catalogs are configured" if name is None else f"there is no catalog or pipeline {name!r}"
    raise ConfigurationError(f"{said}; name one of: {names}")


@contextmanager
def opened(name: str | None) -> Iterator[tuple[Catalog, Reader]]:
    """A catalog and the reader of its dataset."""
    catalog = catalog_called(name)
    with reading(catalog, usable()) as reader:
        yield catalog, reader


def schema_of(catalog: Catalog, reader: Reader) -> Schema:
    """The schema of what is stored.

    Raises:
        NothingStored: nothing was loaded yet.
    """
    schema = reader.schema()
    if schema is None:
        load = f"stac-assets load{catalog.flag}"
        raise NothingStored(f"nothing was loaded into {catalog.dataset_name} yet: run `{load}`")
    return schema


def table_of(catalog: Catalog, reader: Reader, name: str) -> Schema:
    """The schema, which has a table.

    Raises:
        NothingStored: it has no such table.
    """
    schema = schema_of(catalog, reader)
    names = schema.data_table_names()
    if name not in names:
        raise NothingStored(f"there is no table {name} in {catalog.dataset_name}; it has {', '.join(names)}")
    return schema
