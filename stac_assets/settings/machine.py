"""Where all projects of a user on a machine meet: dlt's own data folder, which is `~/.dlt` mostly."""

from pathlib import Path


def machine_folder(name: str) -> Path:
    """A folder of dlt's data folder; it need not be there yet."""
    from dlt.common.runtime.run_context import active

    return Path(active().get_data_entity(name))


def pace_folder() -> Path:
    """Where processes that have a limit of requests a second count them together."""
    return machine_folder("stac_assets_paces")
