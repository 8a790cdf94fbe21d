"""What the destinations of dlt that we adapt have in common."""

from typing import Any

from dlt.common.destination import Destination


class Adapted(Destination[Any, Any]):
    """A destination of dlt, adapted: that which is the next base of its class."""

    __orig_base__: type[Destination[Any, Any]]
    """That destination, whose arguments tell dlt which of ours were given and which are defaults."""
    _partial: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__orig_base__ = cls.__bases__[1]

    @property
    def destination_type(self) -> str:
        """As dlt's own, so that dlt's tools open what was loaded without this package."""
        return f"dlt.destinations.{self.__orig_base__.__name__}"

    def configuration(self, initial_config: Any, accept_partial: bool = False) -> Any:
        """As dlt's; the partial one, which it wants at every look at the capabilities, is resolved once."""
        if not accept_partial:
            return super().configuration(initial_config)
        if self._partial is None:
            self._partial = super().configuration(initial_config, accept_partial)
        return self._partial
