"""One STAC API with its settings, and the only place that makes names from both.

A project without named catalogs has one unnamed catalog, with the names of version 0.1.0. The names of a
named one hold its own, so that several catalogs fit into one Dagster instance and one database.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from stac_assets.settings import Settings, read_settings
from stac_assets.settings.named import chosen, configured_names, makes_a_catalog, told_of_unused
from stac_assets.settings.section import COMMON, Section
from stac_assets.stac.errors import ConfigurationError

PIPELINE_NAME = "pystac_client_pipeline"
DUCKDB_FILE_STEM = "pystac_client"
GROUP = "stac_api"
"""Dagster's group of the unnamed catalog's assets; one group, so that the graph is seen at a glance."""
API_ASSET = "stac_api"
"""Last part of the key of the external asset that stands for the API itself."""
VIEWS_SCHEMA = "stac"
"""The schema that the views over all catalogs have, so no catalog's tables may be in it."""
UNNAMED = "default"
"""What the views call the catalog that has no name."""
LONGEST_TAG = 63
LONGEST_NAME = 50
"""Letters of a dataset's name that is left as it is; dlt shortens longer ones for the destination."""
_NAME = re.compile(r"[a-z](_?[a-z0-9])*_?")
logger = logging.getLogger("stac_assets")
_OF_DATABASES = frozenset({"information_schema", "memory", "system", "temp"})
"""Names of DuckDB's own databases and schemas. A schema `temp` makes every load into its file fail."""
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True)
class Catalog:
    """A STAC API that is mirrored.

    Args:
        settings: what to load, from where, into what.
        name: `[a-z][a-z0-9_]*`; None for the unnamed catalog of a project that has only one.
        paths: the keys of those assets that somebody has named otherwise, by endpoint.

    Raises:
        ConfigurationError: no catalog can have that name; the message says why.
    """

    settings: Settings
    name: str | None = None
    paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], hash=False)

    def __post_init__(self) -> None:
        if self.name is not None:
            _check_name(self.name)
            _check_dataset(self.dataset_name, self.settings.destination_name or DUCKDB_FILE_STEM)
        if self.settings.section != self.section:  # so that its errors say where this catalog is configured
            object.__setattr__(self, "settings", self.settings.with_(section=self.section))

    @property
    def section(self) -> Section:
        """Where its settings stand in dlt's configuration, and in the environment."""
        return COMMON if self.name is None else COMMON.of_catalog(self.name)

    # Dagster ----------------------------------------------------------------------------------

    def asset_path(self, endpoint: str) -> tuple[str, ...]:
        """Parts of the key of an endpoint's asset: `search`, `<name>/search`, or what `paths` says."""
        return self.paths.get(endpoint) or self.usual_path(endpoint)

    def usual_path(self, endpoint: str) -> tuple[str, ...]:
        """Parts of the key that an endpoint's asset has unless somebody names it otherwise."""
        return (endpoint,) if self.name is None else (self.name, endpoint)

    @property
    def flag(self) -> str:
        """What a command of `stac-assets` takes to be about it, with a blank before; empty without a name."""
        return f" --catalog {self.name}" if self.name else ""

    @property
    def group(self) -> str:
        """Dagster's group of the assets."""
        return self.name or GROUP

    def prefixed(self, name: str) -> str:
        """The name of a job, schedule, sensor or op: `items_job`, or `<name>_items_job`."""
        return name if self.name is None else f"{self.name}_{name}"

    @property
    def collection_partitions_name(self) -> str:
        """Name of the dynamic partitions, which all code locations of a Dagster instance share.

        So it names the catalog, or the whole URL of an unnamed one (dagster-io/dagster#29693).
        """
        return f"collections of {self.name or self.settings.base_url}"

    @property
    def host(self) -> str:
        """The API's host, without its port."""
        return urlsplit(self.settings.base_url).hostname or ""

    @property
    def host_tag(self) -> str:
        """The host as the value of a Dagster tag: at most 63 letters, digits, dots, dashes and underscores.

        An international name is written as DNS has it (IDNA), the colons of an IPv6 address are dashes.
        """
        try:
            host = self.host.encode("idna").decode()
        except UnicodeError:  # a label that DNS could not hold
            host = self.host
        tag = _NOT_IN_TAGS.sub("-", host)
        if len(tag) <= LONGEST_TAG:
            return tag
        digest = hashlib.sha256(host.encode()).hexdigest()[:8]
        return f"{tag[: LONGEST_TAG - len(digest) - 1]}-{digest}"

    @property
    def pool(self) -> str:
        """Dagster's pool of the runs that ask one server; catalogs of one host share its limit."""
        return f"stac-api/{self.host}"

    # dlt --------------------------------------------------------------------------------------

    @property
    def dataset_name(self) -> str:
        """dlt's dataset, the schema with the tables: the catalog's name, unless its settings have one."""
        if self.name is None or "dataset_name" in self.settings.model_fields_set:
            return self.settings.dataset_name
        return self.name

    @property
    def names_dataset(self) -> bool:
        """Whether the dataset has the catalog's name, letter by letter."""
        return self.dataset_name == self.name and len(self.dataset_name) <= LONGEST_NAME

    @property
    def shown_as(self) -> str:
        """What the views over all catalogs call it."""
        return self.name or UNNAMED

    @property
    def pipeline_name(self) -> str:
        """dlt's pipeline."""
        return self.name or PIPELINE_NAME


def read_catalog(name: str | None = None, /, **arguments: Any) -> Catalog:
    """A catalog of this project as it is configured; nothing is asked of its API.

    Args:
        name: of the catalog; None for the only one. It may be new if a `base_url` or a `preset` is among the
            arguments.
        arguments: settings by name that come before all others; None means not given.

    Raises:
        ConfigurationError: there is no such catalog, or there are several and none is named; a setting does
            not exist or has a value that cannot be used.
    """
    name = chosen(name, is_new=makes_a_catalog(arguments))
    _tell_of_unused()
    return Catalog(read_settings(name, **arguments), name)


def read_catalogs(**arguments: Any) -> list[Catalog]:
    """All catalogs of this project: the one without a name, or those that have names, in order.

    Args:
        arguments: settings by name that come before all others, in each catalog; None means not given.

    Raises:
        ConfigurationError: a setting does not exist or has a value that cannot be used, or two catalogs would
            have one dataset.
    """
    names = configured_names()
    if len(names) > 1 and makes_a_catalog(arguments):
        raise ConfigurationError(f"one API is given for several catalogs: {', '.join(names)}")
    _tell_of_unused()
    catalogs = [Catalog(read_settings(name, **arguments), name) for name in names or (None,)]
    _refuse_shared_datasets(catalogs)
    return catalogs


def each_catalog() -> Iterator[Catalog | ConfigurationError]:
    """Each catalog that is configured, or what is wrong with it; what is wrong with one harms no other.

    Raises:
        ConfigurationError: something is wrong with all of them.
    """
    _tell_of_unused()
    catalogs: list[Catalog] = []
    for name in configured_names() or (None,):
        try:
            catalog = Catalog(read_settings(name), name)
            _refuse_shared_datasets([*catalogs, catalog])
        except ConfigurationError as error:
            yield error
        else:
            catalogs.append(catalog)
            yield catalog


def _tell_of_unused() -> None:
    if (names := configured_names()) and (told := told_of_unused(names)):
        logger.warning("%s", told)


def _refuse_shared_datasets(catalogs: Iterable[Catalog]) -> None:
    """Refuse two catalogs in one dataset: each would take away the other's rows."""
    owners: dict[str, Catalog] = {}
    for catalog in catalogs:
        for schema in _schemas(catalog):
            first = owners.setdefault(schema, catalog)
            if first is not catalog:
                raise ConfigurationError(
                    f"the catalogs {first.name} and {catalog.name} have one dataset, {schema!r}, which "
                    "mirrors one API (dlt stages in one that ends with _staging): set another "
                    f"`dataset_name` under [{catalog.section.key}]"
                )


def _schemas(catalog: Catalog) -> tuple[str, ...]:
    """The schemas that a catalog has: that of its dataset, and the one in which dlt stages its rows."""
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    if catalog.names_dataset:  # nothing that dlt stages has the name of another one then
        return (catalog.dataset_name,)
    name = NamingConvention().normalize_table_identifier(catalog.dataset_name)
    return name, f"{name}_staging"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"a catalog's name is {name!r}; expected small letters, digits and single underscores, "
            "and a letter first"
        )


def _check_dataset(name: str, file_stem: str) -> None:
    """Refuse a schema beside which a database could not read or store those of other catalogs."""
    if name.lower() == VIEWS_SCHEMA:
        raise ConfigurationError(f"no catalog can be called {name!r}: the views over all catalogs are there")
    if name.lower() == file_stem.lower():
        raise ConfigurationError(
            f"no catalog can be called {name!r}: its tables would have the name of the DuckDB file "
            f"{file_stem}.duckdb, and DuckDB could not tell them apart"
        )
    if name.lower() in _OF_DATABASES or name.lower().startswith("pg_"):
        raise ConfigurationError(
            f"no catalog can be called {name!r}: DuckDB or PostgreSQL keeps that name for itself; choose "
            "another one, also for its dataset"
        )
