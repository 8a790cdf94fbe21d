"""Which API a dataset mirrors: one, and always the same."""

import dlt

from stac_assets.settings import SETTINGS, Settings
from stac_assets.settings.section import COMMON, Section
from stac_assets.stac.errors import ConfigurationError


def claim_dataset(settings: Settings) -> None:
    """Record which API the dataset mirrors.

    Args:
        settings: of the catalog whose rows it gets.

    Raises:
        ConfigurationError: it mirrors another one already.
    """
    state = dlt.current.source_state()
    check_owner(state.get("base_url"), settings)
    state["base_url"] = settings.base_url


def check_owner(recorded: str | None, settings: Settings) -> None:
    """Refuse to mix two APIs in one dataset."""
    if recorded is not None and recorded != settings.base_url:
        raise ConfigurationError(
            f"this dataset mirrors {recorded}, not {settings.base_url}; "
            f"set another {_where_it_is_named(settings)} for another API"
        )


def _where_it_is_named(settings: Settings) -> str:
    """Where a user names the dataset of a catalog, for an error message."""
    section, dlt_key = settings.section, SETTINGS["dataset_name"].dlt_key
    if section == COMMON and dlt_key is not None:
        section = Section(dlt_key.key.rpartition(".")[0])
    return f"`dataset_name` under [{section.key}] ({section.variable('dataset_name')})"
