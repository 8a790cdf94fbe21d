"""A page size that an API refuses: the largest that it accepts is learned by few requests, once for a run.

Many APIs answer 400 or 422 to a `limit` above their own, and most of them say in the error which that is.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from stac_assets.stac.documents import Page
from stac_assets.stac.errors import RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.links import shown
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.page_limits import PageLimits

REFUSED = {400, 422}
"""The statuses with which an API refuses a parameter."""
USUAL = (10, 20, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
"""Usual limits of pages, which are tried where the error names none."""
FIRST_TRIED = (100, 10)
"""The first of them that are tried: one that most APIs accept, and one that all do."""
MOST_TOLD = 2
"""The numbers of one error that are tried; one of them is the limit, if the error names it."""
MOST_UNPROVEN = 4
"""The requests under way at once of a size that was not answered yet: so many may be refused in vain."""

_NUMBER = r"(\d{1,3}(?:[,_]\d{3})+|\d+)\b"
_MOST = re.compile(
    r"(?:less than or equal|lower than or equal|(?:greater|more|larger|higher|smaller) than|at most|m[aá]x\w*"
    r"|exceed\w*|up to|upper|limit_value|allow\w*|permit\w*|support\w*|limited to|limit (?:is|of|must be)"
    rf"|\"le\"|\"limit\"|<=|=<|≤|\s>\s)[^0-9]{{0,40}}{_NUMBER}",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"\b[01]\s*(?:-|–|to|and|,|;|\.\.+)\s*{_NUMBER}", re.IGNORECASE)
_LESS = re.compile(
    rf"(?:(?:less|lower|smaller|fewer) than (?!or)[^0-9]{{0,20}}|\"lt\"\W*|\s<\s){_NUMBER}", re.IGNORECASE
)
_VARYING = re.compile(r"[\w:.+-]*\d[\w:.+-]*")

Ask = Callable[[PageRequest], Iterator[Page]]
"""Sends a request for a first page, and those for the pages that follow."""

logger = logging.getLogger("stac_assets")


class RefusedSizes:
    """Asks for pages of no more items than the API accepts. Threads share what was learned.

    A request that is refused for another reason is asked for less as well, as nothing tells the reason; the
    same request with the same error is not, once that was in vain, nor is one of a size that was answered.

    Args:
        limits: what the run knows of the API's pages; what is learned here is kept there.
    """

    def __init__(self, limits: PageLimits) -> None:
        self._limits = limits
        self._in_vain: set[str] = set()
        self._answered: dict[tuple[str, str], int] = {}
        self._turn = threading.Lock()
        self._unproven = threading.BoundedSemaphore(MOST_UNPROVEN)

    def pages(self, request: PageRequest, figures: Figures, ask: Ask) -> Iterator[Page]:
        """The pages of an answer, which may be asked for in smaller ones than the request says.

        Args:
            request: for the first page.
            figures: counts what is met.
            ask: sends the request.

        Raises:
            StacError: what `ask` raises. If no smaller page is answered, it is the first error.
        """
        size = size_of(request)
        if size is None:
            yield from ask(request)
            return
        if not self._limits.has_answered(self._limits.fitting(size)):
            with self._unproven:
                first, pages = self._begun(request, size, figures, ask)
        else:
            first, pages = self._begun(request, size, figures, ask)
        yield first
        yield from pages

    def _begun(
        self, request: PageRequest, size: int, figures: Figures, ask: Ask
    ) -> tuple[Page, Iterator[Page]]:
        """The first page of an answer, and those that follow it."""
        asked = self._limits.fitting(size)
        pages = ask(request if asked == size else of_size(request, asked))
        try:
            first = next(pages)
        except RequestFailed as error:
            if (
                error.status not in REFUSED
                or asked == 1
                or asked <= self._answered.get(_endpoint(request), 0)
            ):
                raise
            return self._smaller(request, asked, error, figures, ask)
        self._note_answer(request, asked)
        return first, pages

    def _note_answer(self, request: PageRequest, size: int) -> None:
        endpoint = _endpoint(request)
        self._answered[endpoint] = max(size, self._answered.get(endpoint, 0))
        self._limits.answered(size)

    def _smaller(
        self, request: PageRequest, refused: int, error: RequestFailed, figures: Figures, ask: Ask
    ) -> tuple[Page, Iterator[Page]]:
        """The first page of the largest size that is answered, and the pages that follow it."""
        vain = _key(request, error)
        with self._turn:  # so that other threads wait for what is learned here, and do not learn it too
            known = self._limits.fitting(refused)
            told = [known] if known < refused else largest_told(error.body.decode(errors="replace"), refused)
            if vain in self._in_vain and known == refused:
                raise error
            usual = [size for size in FIRST_TRIED if size < refused and size not in told]
            for size in [*told, *usual]:
                answer = _answer(request, size, ask)
                if answer is not None:
                    break
                refused = size if size in usual else refused
            else:
                self._in_vain.add(vain)
                raise error
            if size not in told and answer[0].length >= size:
                size, answer = self._climbed(request, size, answer, refused, ask)
            figures.page_size_reductions += 1
            self._note_answer(request, size)
            self._note(request, size, error)
        return answer

    def _climbed(
        self,
        request: PageRequest,
        size: int,
        answer: tuple[Page, Iterator[Page]],
        refused: int,
        ask: Ask,
    ) -> tuple[int, tuple[Page, Iterator[Page]]]:
        """The largest usual size that is answered, between one that is and one that is not."""
        between = [each for each in USUAL if size < each < refused]
        while between:
            middle = len(between) // 2
            larger = _answer(request, between[middle], ask)
            if larger is None:
                between = between[:middle]
            else:
                size, answer, between = between[middle], larger, between[middle + 1 :]
        return size, answer

    def _note(self, request: PageRequest, size: int, error: RequestFailed) -> None:
        asked = size_of(request)
        if self._limits.accepts(size):
            logger.warning(
                "%s %s refuses pages of %s items, and gets questions for %d from now on (setting page_size): "
                "%s",
                request.method,
                shown(request.url),
                asked,
                size,
                error,
            )


def largest_told(text: str, refused: int) -> Sequence[int]:
    """The numbers of an error that may be the largest page size, the likeliest first.

    Args:
        text: what the API said.
        refused: the size that it refuses.
    """
    told = [_number(found) for pattern in (_MOST, _RANGE) for found in pattern.findall(text)]
    told += [_number(found) - 1 for found in _LESS.findall(text)]
    return sorted({number for number in told if 1 < number < refused}, reverse=True)[:MOST_TOLD]


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _answer(request: PageRequest, size: int, ask: Ask) -> tuple[Page, Iterator[Page]] | None:
    """The first page of that size, and those that follow it; None where that size is refused too."""
    pages = ask(of_size(request, size))
    try:
        return next(pages), pages
    except RequestFailed as error:
        if error.status not in REFUSED:
            raise
        return None


def _endpoint(request: PageRequest) -> tuple[str, str]:
    """What may have a largest page size of its own."""
    return request.method, request.url


def _key(request: PageRequest, error: RequestFailed) -> str:
    """What a request and its error have in common with those for other times and of other sizes."""
    asked = {**(request.params or {}), **(request.body or {}), "datetime": None, "limit": None}
    said = _VARYING.sub("", error.body.decode(errors="replace"))
    return json.dumps([request.method, request.url, asked, error.status, said], sort_keys=True, default=str)


def size_of(request: PageRequest) -> int | None:
    """The number of items that a request asks for; None where it does not say."""
    return ((request.params if request.body is None else request.body) or {}).get("limit")


def of_size(request: PageRequest, size: int) -> PageRequest:
    """The same request for another number of items."""
    if request.body is None:
        return replace(request, params={**(request.params or {}), "limit": size})
    return replace(request, body={**request.body, "limit": size})
