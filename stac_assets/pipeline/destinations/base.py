"""How loads store into a destination: as dlt does, unless a file beside this one says more.

A file for a destination has a subclass of `Storage`, which the destination's entry in
`stac_assets/source/dialects.py` names, and with it what it makes of dlt's own destination.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import dlt
from dlt.common.destination import AnyDestination, Destination
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from stac_assets.pipeline.destinations.geo_view import keep_in_step
from stac_assets.pipeline.exclusion.advisory_lock import advisory_lock
from stac_assets.pipeline.exclusion.own_staging import dropped_afterwards, emptied_afterwards, new_layout
from stac_assets.pipeline.exclusion.waiting import Hold, Wait
from stac_assets.pipeline.place import Place
from stac_assets.pipeline.target import Target
from stac_assets.source.delivery import Delivery, TableForm
from stac_assets.source.dialects import Locking
from stac_assets.source.request import LoadRequest
from stac_assets.stac.errors import ConfigurationError

if TYPE_CHECKING:
    from stac_assets.pipeline.read_only.reader import Reader

ATOMIC_REPLACE = "insert-from-staging"


class Adapted(Destination[Any, Any]):
    """A destination of dlt with changes. The class of dlt's is its next base."""

    __orig_base__: type[Destination[Any, Any]]
    """That destination, whose arguments tell dlt which of ours were given and which are defaults."""
    _partial: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resolved: dict[str, Any] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__orig_base__ = cls.__bases__[1]

    @property
    def destination_type(self) -> str:
        """As dlt's own, so that dlt's tools open what was loaded without this package."""
        return f"dlt.destinations.{self.__orig_base__.__name__}"

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """As dlt resolves it, once for each question, because dlt asks often: a fifth of an empty load.

        A destination lives as long as a load, in which the configuration does not change. What dlt does with
        one answer does not reach the next, but connections, of which all clients of a destination have one.
        """
        if accept_partial:
            if self._partial is None:
                self._partial = super().configuration(initial_config, accept_partial)
            return self._partial
        question = repr(dict(initial_config or {}))
        if question not in self._resolved:
            self._resolved[question] = super().configuration(initial_config)
        return copy(self._resolved[question])


@dataclass
class Filled:
    """Rows that got a geometry, and those that have GeoJSON of which none can be made."""

    rows: int = 0
    left: int = 0


class Storage:
    """How rows are stored into a target. This class does it as dlt does.

    Args:
        target: the destination and the dataset in it.
    """

    adapted: ClassVar[type[Adapted] | None] = None
    """What is made of dlt's own destination, if anything."""
    compares: ClassVar[bool] = False
    """Whether loads compare the tables with dlt's schema, and make again what somebody has dropped."""

    def __init__(self, target: Target) -> None:
        self.target = target

    # Looking at what is there -----------------------------------------------------------------

    def pipeline(self, folder: Path) -> Pipeline:
        """A new pipeline to read with, whose working folders lie below `folder`."""
        return self._pipeline(folder, self._destination())

    def read_only_pipeline(self, folder: Path) -> Pipeline:
        """The same for queries alone, which let others read meanwhile."""
        return self.pipeline(folder)

    def place(self, pipeline: Pipeline) -> Place:
        """Where the dataset of `pipeline` is; dlt resolves its credentials for that, which takes a while.

        Raises:
            ConfigurationError: the configuration names no place where rows can be stored.
        """
        config: Any = pipeline.destination_client().config
        schemes = self.target.dialect.credential_schemes
        if schemes and config.credentials.drivername not in schemes:  # whose errors repeat the whole URL
            name = pipeline.destination.destination_name
            raise ConfigurationError(
                f"the credentials of {name} are a URL that begins with {config.credentials.drivername}://; "
                f"its driver knows {schemes[0]}:// (for Redshift too). Set them under [destination.{name}]. "
                "Nothing was fetched"
            )
        return self._placed(pipeline, config.fingerprint())

    def check(self, stored: Callable[[], Schema | None]) -> None:
        """Refuse what cannot be stored beside what is there.

        A load calls it before it fetches, and again when no other load can change what is there.

        Args:
            stored: asks the destination what it holds, if anything.

        Raises:
            ConfigurationError: the settings want something else.
        """

    def check_rights(self, client: Any) -> None:
        """Refuse to load where nothing could be stored, as far as that can be asked for.

        Args:
            client: dlt's, which is open.

        Raises:
            StoreFailed: the message says what to do.
        """

    def check_collections(self, request: LoadRequest, pipeline: Pipeline) -> None:
        """Refuse collections whose rows have no place here, before anything is fetched.

        Args:
            request: what is to be loaded.
            pipeline: that reads from there.

        Raises:
            ConfigurationError: one has none.
        """

    def reader(self, pipeline: Pipeline, place: Place, schemas: Sequence[str], wait: float) -> "Reader":
        """What reads the dataset, and writes nothing.

        Args:
            pipeline: that reads from there.
            place: of the dataset.
            schemas: of the datasets of all catalogs.
            wait: seconds to wait for a file that a load has.
        """
        from stac_assets.pipeline.read_only.reader import Reader

        return Reader(pipeline)

    # Storing ----------------------------------------------------------------------------------

    def holding(
        self, place: Place, wait: Wait, pipeline: Pipeline | None = None, doing: str | None = None
    ) -> AbstractContextManager[Hold]:
        """Keep loads of other hosts away, as the dialect says how.

        Args:
            place: of the dataset.
            wait: what to do while somebody else holds it.
            pipeline: to store with; None to read only, for which a server keeps nobody waiting.
            doing: what this process does, for those that wait for it.
        """
        match self.target.dialect.locking:
            case Locking.SERVER if pipeline is not None:
                return advisory_lock(pipeline, wait, doing)
            case Locking.OWN_STAGING if pipeline is not None:
                return nullcontext(Hold(wait, new_layout()))
            case _:
                return nullcontext(Hold(wait))

    def form(self, pipeline: Pipeline, folder: Path) -> TableForm:
        """What the destination wants of the tables of a load.

        Args:
            pipeline: that reads from there.
            folder: where working files of the load may lie.
        """
        return TableForm()

    @contextmanager
    def storing(
        self, place: Place, folder: Path, hold: Hold, delivery: Delivery | None = None
    ) -> Iterator[Pipeline]:
        """A pipeline to store with. Whoever calls holds the dataset.

        Args:
            place: of the dataset.
            folder: for the pipeline's working folders.
            hold: what holding the dataset has given.
            delivery: the rows, for a destination whose load jobs take them from there.
        """
        layout: dict[str, Any] = {"staging_dataset_name_layout": hold.staging} if hold.staging else {}
        pipeline = self._pipeline(folder, self._destination(**layout))
        with dropped_afterwards(pipeline) if hold.staging else emptied_afterwards(pipeline):
            yield pipeline
        form = self.target.dialect.geo_view
        if form and delivery and delivery.endpoint.has_items and delivery.wants_geometries:
            keep_in_step(pipeline, delivery.endpoint.name, form)

    def fill_geometries(self, client: Any, table: str) -> Filled:
        """Fill the column `geom` of rows that lack it. Whoever calls holds the dataset.

        Args:
            client: dlt's, which is open, of a pipeline that stores.
            table: which has the column.
        """
        raise NotImplementedError

    def geometries_as_wkb(self, client: Any, table: str) -> str | None:
        """The column `geom` as WKB, in SQL; None where the table has none that is one of geometries.

        Args:
            client: dlt's, of SQL, which is open.
            table: whose schema has the column.
        """
        return None

    # Making -----------------------------------------------------------------------------------

    def _destination(self, make: Callable[..., Any] | None = None, **arguments: Any) -> AnyDestination:
        """The destination, adapted if need be, that replaces rows in one transaction."""
        make = make or self.adapted or self._reference
        arguments = {**self.target.naming, **arguments}
        arguments |= {"destination_name": self.target.given_name} if self.target.given_name else {}
        return cast(AnyDestination, make(**arguments, **self._in_transactions(make(**arguments))))

    def _reference(self, **arguments: Any) -> Any:
        """dlt's own destination; one that is configured under a name of its own gets that by itself."""
        if arguments.get("destination_name") == self.target.destination:
            del arguments["destination_name"]
        return Destination.from_reference(self.target.destination, **arguments)

    def _in_transactions(self, factory: AnyDestination) -> dict[str, Any]:
        """Arguments that make dlt replace rows in one transaction: a kill leaves the old ones, or the new.

        dlt 1.31 does not say of DuckDB, PostgreSQL and their like that they have transactions, and so begins
        one only for statements that hold a word like CREATE (a column's name will do). And it replaces a
        whole table by truncating it first and inserting later, unless the destination is told otherwise.
        """
        capabilities = factory.capabilities()
        arguments: dict[str, Any] = {}
        if self.target.dialect.commits_with_truncate:
            arguments["supports_truncate_command"] = False
        if capabilities.supports_ddl_transactions:
            arguments["supports_transactions"] = True
        offered = capabilities.supported_replace_strategies or ()
        if capabilities.replace_strategies_selector is None and ATOMIC_REPLACE in offered:
            arguments["replace_strategy"] = ATOMIC_REPLACE
        return arguments

    def _pipeline(self, folder: Path, destination: AnyDestination) -> Pipeline:
        return dlt.pipeline(
            self.target.pipeline_name,
            pipelines_dir=str(folder),
            destination=destination,
            dataset_name=self.target.dataset_name,
        )

    def _placed(self, pipeline: Pipeline, location: str, **more: Any) -> Place:
        return Place(self.target.dialect.name, location, pipeline.dataset_name, **more)


def storage_of(target: Target) -> Storage:
    """The storage of a target. Its module is imported here, and not with the definitions."""
    module, _, name = target.dialect.storage.partition(":")
    return getattr(import_module(module), name)(target)
