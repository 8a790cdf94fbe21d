"""The table of all settings in `docs/configuration.md`, made from their declaration.

`python -m stac_assets.settings.table` renews it; a test compares it with what is declared.
"""

from pathlib import Path

from stac_assets.settings.declaration import Mark, Setting
from stac_assets.settings.model import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BEGIN = "<!-- table of settings: made by `make settings-table` from stac_assets/settings/model.py -->"
END = "<!-- end of the table of settings -->"
HEAD = "| setting | default | meaning |\n|---|---|---|"


def table() -> str:
    """The table as Markdown, a line for each setting that can be set."""
    return "\n".join([HEAD, *(_line(setting) for setting in SETTINGS.values() if _is_set(setting))])


def renewed(page: str) -> str:
    """A page with the table between its two marks as it is now.

    Raises:
        ValueError: a mark is not there.
    """
    before, rest = page[: page.index(BEGIN)], page[page.index(END) :]
    return f"{before}{BEGIN}\n\n{table()}\n\n{rest}"


def _is_set(setting: Setting) -> bool:
    return Mark.FOUND not in setting.marks


def _line(setting: Setting) -> str:
    meaning = setting.sentence.removesuffix(".")
    notes = [setting.bounds] if setting.bounds else []
    notes += [", ".join(f"`{choice}`" for choice in _choices(setting))] if _choices(setting) else []
    notes += ["a secret"] if setting.is_secret else []
    notes += ["an argument in Python only"] if Mark.ARGUMENT in setting.marks else []
    told = f" ({'; '.join(notes)})" if notes else ""
    default = f"`{setting.default}`" if setting.default else "none"
    return f"| {_name(setting)} | {default} | {meaning}{told}. |"


def _choices(setting: Setting) -> tuple[str, ...]:
    """Its choices, where the sentence does not tell them."""
    return tuple(choice for choice in setting.choices if f"`{choice}`" not in setting.sentence)


def _name(setting: Setting) -> str:
    if setting.dlt_key is None:
        return f"`{setting.name}`"
    section, _, name = setting.dlt_key.key.rpartition(".")
    return f"`{name}` under `[{section.format('<destination>')}]`"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
