"""Runs that take place on other machines, where local files would not be those that are meant."""

import dagster as dg

from stac_assets.catalog import Catalog
from stac_assets.stac.errors import ConfigurationError

SPREADING_LAUNCHERS = frozenset(
    {
        *("K8sRunLauncher", "CeleryK8sRunLauncher", "DockerRunLauncher"),
        *("EcsRunLauncher", "AzureContainerInstanceRunLauncher", "CloudRunRunLauncher"),
    }
)
"""Classes of run launchers that start a run on another machine, or in a container with files of its own."""
SPREADING_EXECUTORS = frozenset(
    {"k8s", "celery", "celery-k8s", "celery-docker", "docker", "ecs", "dask", "dask_executor"}
)
"""Names of executors that do so with a run's steps."""


def refuse_files_elsewhere(context: dg.AssetExecutionContext, catalog: Catalog) -> None:
    """Refuse to store on this machine where runs spread over machines: each would write its own, and lose it.

    Raises:
        ConfigurationError: they do.
    """
    launcher = type(context.instance.run_launcher)
    executor = context.job_def.executor_def.name
    found = [f"run launcher {c.__name__}" for c in launcher.__mro__ if c.__name__ in SPREADING_LAUNCHERS]
    found += [f"executor {executor}"] if executor in SPREADING_EXECUTORS else []
    if not found:
        return
    from stac_assets.pipeline.queries import place_of

    place = place_of(catalog)
    if place.is_local:
        raise ConfigurationError(
            f"the {found[0]} uses other machines or containers, and {place} is on one machine: each "
            "run would write its own. Name a server as `destination` under [pipeline] "
            "(PIPELINE__DESTINATION), such as postgres or motherduck, or keep runs on this machine "
            "(DefaultRunLauncher; executor in_process or multiprocess). Nothing was fetched"
        )
