"""Longitudes and latitudes in words, and the round ones at which lines are drawn."""

from collections.abc import Callable
from math import ceil, floor, log10

from stac_assets.globe.frame import TURN

Name = Callable[[float, int], str]
"""From a value and its decimals to its name."""
ROUND = (*(n * 10.0**power for power in range(-3, 1) for n in (1, 2, 5)), 10.0, 20.0, 30.0, 60.0)
"""How far lines may be apart."""


def latitude(value: float, decimals: int) -> str:
    """As `47.5°N`."""
    return _degrees(value, "NS", decimals)


def longitude(value: float, decimals: int) -> str:
    """As `8°E`; what is counted beyond the antimeridian has its usual name."""
    found = (value + TURN / 2) % TURN - TURN / 2
    return _degrees(found, "EW", decimals)


def _degrees(value: float, letters: str, decimals: int) -> str:
    found = round(value, decimals)
    letter = "" if found in (0, -180) else letters[found < 0]
    return f"{abs(found):.{decimals}f}°{letter}"


def decimals_of(step: float) -> int:
    """How many decimals tell values apart that differ by a step."""
    return max(0, ceil(-log10(step) - 1e-9)) if step > 0 else 2


def lines(first: float, last: float, most: int = 4) -> tuple[list[float], int]:
    """Round values between two, `most` of them or few more, and how many decimals they have."""
    step = next((step for step in ROUND if (last - first) / step <= most), ROUND[-1])
    places = range(ceil(first / step), floor(last / step) + 1)
    return [place * step for place in places], decimals_of(step)
