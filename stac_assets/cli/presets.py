"""`stac-assets presets`: the public APIs of which something is known, and what that is."""

import argparse
import re
from collections.abc import Iterator

from stac_assets.settings.presets import Preset, presets, read_preset


def run(arguments: argparse.Namespace) -> int:
    """List all presets, or print the file of one, whose comments name its sources."""
    if arguments.name is not None:
        name = arguments.name.partition("/")[0]
        if name not in presets():
            read_preset(name)  # which says what there is
        print(presets()[name].text, end="")
        return 0
    for preset in presets().values():
        print(f"{preset.usage}  {preset.settings['base_url']}")
        for line in particular(preset):
            print(f"    {line}")
    print("\n`stac-assets presets NAME` prints one with its sources.")
    return 0


def particular(preset: Preset) -> Iterator[str]:
    """What an API is, and how it is asked otherwise than by default."""
    title, *lines = preset.text.splitlines()
    yield title.removeprefix("# ")
    yield from (line for line in lines if re.match(r"(?!base_url)\w+ =", line))
