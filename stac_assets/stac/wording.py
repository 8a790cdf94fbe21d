"""How figures are told to people."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its words: `1 item`, `1,200 items`.

    Args:
        number: of what is counted.
        one: what follows 1.
        many: what follows any other number; by default `one` with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
