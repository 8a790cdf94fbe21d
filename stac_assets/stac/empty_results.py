"""A 404 that means that nothing was found, and not that there is no such endpoint."""

from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport

NOT_FOUND = 404


class EmptyResults:
    """Tells whether an API answers 404 to a question that finds nothing, as stac-fastapi did until 2021.

    It does where the same endpoint answers a question for anything at all. That is asked each time, because
    an endpoint that is gone would empty partitions; other APIs, which answer with an empty page, are not
    asked at all. So it does not matter in which order windows are asked.

    Args:
        transport: sends that question.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def is_told(self, error: RequestFailed, request: PageRequest, figures: Figures) -> bool:
        """Whether the error of a request for a first page means that there is nothing.

        Args:
            error: the error.
            request: what was asked.
            figures: counts the question that has to be asked then.
        """
        if error.status != NOT_FOUND:
            return False
        anything = {"limit": 1}
        by_post = request.method == "POST"
        try:
            self._transport.send(
                request.method,
                request.url,
                params=None if by_post else anything,
                json=anything if by_post else None,
                figures=figures,
                retries=0,
            )
        except RequestFailed:
            return False
        return True
