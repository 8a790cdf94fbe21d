"""Which API a dataset mirrors: one, and always the same."""

import dlt

from stac_assets.settings import Settings
from stac_assets.settings.layers import where_dataset_is_named
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
            f"set another {where_dataset_is_named(settings.section)} for another API"
        )
