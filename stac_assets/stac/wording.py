"""Numbers in messages."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun, such as `1 item` or `1,200 items`.

    Args:
        number: the number.
        one: the noun after 1.
        many: the noun after any other number; by default `one` with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
