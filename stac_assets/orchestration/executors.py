"""The executor that the settings name."""

import importlib

import dagster as dg

from stac_assets.stac.errors import ConfigurationError

BUILT_IN = {
    # a run is one step or few; processes would cost seconds each
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
}


def executor_named(name: str) -> dg.ExecutorDefinition:
    """An executor of Dagster's, or of any package.

    Args:
        name: `in_process`, `multiprocess`, or `module:name`, such as `dagster_k8s:k8s_job_executor`.

    Raises:
        ConfigurationError: there is none of that name.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        found = error
    if not isinstance(found, dg.ExecutorDefinition):
        raise ConfigurationError(
            f"executor is {name!r}; expected {', '.join(BUILT_IN)}, or module:name of an executor that is "
            f"installed, such as dagster_k8s:k8s_job_executor ({found})"
        )
    return found
