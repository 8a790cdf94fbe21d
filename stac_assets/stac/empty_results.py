"""A 404 that means that nothing was found, and not that there is no such endpoint."""

from dataclasses import replace

from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport

NOT_FOUND = 404


class EmptyResults:
    """Tells whether an API answers 404 to a question that finds nothing, as stac-fastapi did until 2021.

    It does where the same endpoint answers a question for anything at all, and answers so again to the same
    question for one item. That is asked each time, because a 404 that passes, or one that a `limit`
    leads to, or an endpoint that is gone would empty partitions. Other APIs, which answer with an empty page,
    are not asked at all. So it does not matter in which order windows are asked.

    Args:
        transport: sends these questions.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def is_told(self, error: RequestFailed, request: PageRequest, figures: Figures) -> bool:
        """Whether the error of a request for a first page means that there is nothing.

        Args:
            error: the error.
            request: what was asked.
            figures: counts the questions that have to be asked then.
        """
        if error.status != NOT_FOUND:
            return False
        one = {"limit": 1}
        if request.method == "POST":
            same = replace(request, body={**(request.body or {}), **one})
            anything = replace(request, body=one)
        else:
            same = replace(request, params={**(request.params or {}), **one})
            anything = replace(request, params=one)
        return self._status(anything, figures) is None and self._status(same, figures) == NOT_FOUND

    def _status(self, request: PageRequest, figures: Figures) -> int | None:
        """The status of the error with which a question is answered; None where it is answered well."""
        try:
            self._transport.send(
                request.method,
                request.url,
                params=request.params,
                json=request.body,
                figures=figures,
                retries=0,
            )
        except RequestFailed as error:
            return error.status or 0
        return None
