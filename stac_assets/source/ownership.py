"""Which API a dataset mirrors: one, and always the same."""

import dlt

from stac_assets.stac.errors import ConfigurationError


def claim_dataset(base_url: str) -> None:
    """Record which API the dataset mirrors.

    Raises:
        ConfigurationError: it mirrors another one already.
    """
    state = dlt.current.source_state()
    check_owner(state.get("base_url"), base_url)
    state["base_url"] = base_url


def check_owner(recorded: str | None, base_url: str) -> None:
    """Refuse to mix two APIs in one dataset."""
    if recorded is not None and recorded != base_url:
        raise ConfigurationError(
            f"this dataset mirrors {recorded}, not {base_url}; "
            "set another `dataset_name` under [pipeline] (PIPELINE__DATASET_NAME) for another API"
        )
