"""How long a full round takes: until a sensor has had a look at every collection once."""

from stac_assets.stac.wording import counted

MINUTE, HOUR, DAY = 60, 3600, 86_400


def told_of_round(looked_at: int, collections: int, seconds: int) -> str:
    """A line that says it, by how far the tick came.

    Args:
        looked_at: the collections whose turn it was in this tick; one at least.
        collections: how many there are.
        seconds: between two ticks (setting `sensor_seconds`).
    """
    whole = f"a full round over {counted(collections, 'collection')}"
    if looked_at >= collections:
        return f"{whole} was this tick, and each tick is one, every {_lasting(seconds)}"
    ticks = -(-collections // looked_at)
    return (
        f"{whole} takes about {_lasting(ticks * seconds)}: {counted(ticks, 'tick')} like this one, "
        f"which looked at {looked_at}, {_lasting(seconds)} apart"
    )


def _lasting(seconds: int) -> str:
    """A duration for people, in one unit."""
    for size, unit in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:,} seconds"
