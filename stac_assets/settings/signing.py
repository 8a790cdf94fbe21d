"""What signs requests, as it is configured, and to which API it belongs.

What is stored (in `.dlt/`, or a vault that dlt asks) belongs to the API that is stored with it, by `base_url`
or by a preset. Where an argument, a flag or a variable puts another origin in its place, it would go to a
stranger, so it is left out. What was typed for this process, as an argument or in its environment, is sent as
it was typed.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stac_assets.settings.chosen_api import chosen_url
from stac_assets.settings.configuration import NOTHING, configured, providers, typed_providers
from stac_assets.settings.model import SETTINGS
from stac_assets.settings.section import CREDENTIALS, Section
from stac_assets.settings.validation import read_alone
from stac_assets.settings.values import without_line_end
from stac_assets.stac.errors import ConfigurationError
from stac_assets.stac.http.identity import PLACEHOLDER
from stac_assets.stac.http.links import is_http, origin_of, shown, trusted_origins

if TYPE_CHECKING:
    from dlt.common.configuration.providers import ConfigProvider

    from stac_assets.settings.credentials import StacCredentials


@dataclass(frozen=True)
class _Signing:
    """What signs requests, by where it stands.

    Args:
        api_key: the setting of that name.
        headers: the setting of that name.
        credentials: the table of that name.
        section: of the catalog.
    """

    api_key: Any
    headers: Any
    credentials: "StacCredentials"
    section: Section

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values of the settings; an `api_key` that is an argument comes before that of the table."""
        key = self.credentials.api_key
        if "api_key" in given or not key:
            key = self.api_key
        elif self.api_key not in NOTHING and without_line_end(str(self.api_key)) != key:
            raise ConfigurationError(
                f"api_key stands under [{self.section.key}] and under [{self.section.credentials}]; keep one"
            )
        return {"api_key": key, "headers": self.headers, CREDENTIALS: self.credentials.identity(self.section)}

    def names(self) -> list[str]:
        """The names of all that is secret in it."""
        held = self.credentials.given()
        key = self.api_key or held.get("api_key")
        secrets = [name for name in ("username", "password", "client_secret") if name in held]
        if key and key != PLACEHOLDER:
            secrets.insert(0, "api_key")
        return [*secrets, *(["headers"] if self.headers not in (None, "", {}, "{}") else [])]


def signing_values(given: Mapping[str, Any], values: Mapping[str, Any], section: Section) -> dict[str, Any]:
    """The values of the settings that sign requests, and why some are withheld.

    Args:
        given: the arguments.
        values: the settings in force, of which the URLs are looked at.
        section: of the catalog, whose credentials stand nowhere else.

    Raises:
        ConfigurationError: they cannot be used; none is shown.
    """
    every = _read(given, providers(), section)
    base_url = values.get("base_url")
    owner = _other_owner(base_url or SETTINGS["base_url"].default, values.get("trusted_origins"), section)
    if owner is None:
        return every.values(given)
    from stac_assets.settings.credentials import without_stored

    typed = _read(given, typed_providers(), section)
    if CREDENTIALS not in given:
        typed = replace(
            typed, credentials=without_stored(typed.credentials, every.credentials, bool(typed.api_key))
        )
    if every.api_key == PLACEHOLDER and not typed.api_key:
        typed = replace(typed, api_key=PLACEHOLDER)  # so that it is warned about; it goes to nobody
    lost = [name for name in every.names() if name not in typed.names()]
    told = _told(lost, owner, str(base_url), given, section)
    return typed.values(given) | {"withheld": told}


def _read(given: Mapping[str, Any], among: "Sequence[ConfigProvider]", section: Section) -> _Signing:
    """What an argument gives, or else these providers; `credentials` given stands for `api_key` too."""
    from stac_assets.settings.credentials import read_credentials

    def value(name: str) -> Any:
        return given[name] if name in given else configured(f"{section.key}.{name}", among)

    api_key = value("api_key") if CREDENTIALS not in given or "api_key" in given else None
    credentials = read_credentials(given.get(CREDENTIALS), among, section)
    return _Signing(api_key, value("headers"), credentials, section)


def _other_owner(base_url: Any, trusted: Any, section: Section) -> str | None:
    """The URL of the stored API, if what is stored with it must not go to the API at `base_url`."""
    typed = typed_providers()
    stored = chosen_url({}, [each for each in providers() if each not in typed], section)
    if stored is None or not isinstance(base_url, str) or not is_http(base_url.strip()):
        return None  # nobody owns it, or no request is made
    owner = str(stored).strip()
    if not is_http(owner):
        return shown(owner)
    origin = origin_of(base_url.strip())
    if origin in trusted_origins(owner):
        return None
    with suppress(ConfigurationError):  # which is told where requests are signed
        others = read_alone(SETTINGS["trusted_origins"], trusted) if trusted else ()
        if origin in trusted_origins(owner, others):
            return None
    return shown(owner)


def _told(names: Sequence[str], owner: str, base_url: str, given: Mapping[str, Any], section: Section) -> str:
    if not names:
        return ""
    placed = "an argument or a flag"
    if not {"base_url", "preset"} & given.keys():
        by_url = configured(f"{section.key}.base_url", typed_providers())
        placed = f"the variable {section.variable('base_url' if by_url else 'preset')}"
    return (
        f"what is configured for {owner} ({', '.join(names)}) is not sent to {shown(base_url)}, which "
        f"{placed} puts in its place; if that may see it, list it in `trusted_origins`; what it alone shall "
        f"see goes into the environment ({section.env_prefix}…)"
    )
