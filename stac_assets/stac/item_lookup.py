"""One item by its id, and what shows that an API does not have it."""

from dataclasses import replace

from stac_assets.stac.documents import Item, Rejected, decode_item, object_text, text_in
from stac_assets.stac.errors import EndpointMissing, MethodRefused, RequestFailed
from stac_assets.stac.figures import Figures
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.page_request import PageRequest
from stac_assets.stac.http.transport import Transport
from stac_assets.stac.landing import Landing
from stac_assets.stac.paging import item_pages
from stac_assets.stac.representations import below

ABSENT = frozenset({404, 410})


class ItemLookup:
    """Finds items by their ids.

    That an item is not there takes two witnesses: its own URL, and a search by its id. A proxy may refuse an
    id with a slash, and some APIs answer 200 with a document that says that there is none.

    Args:
        transport: sends the requests.
        landing: says where the endpoints are.
    """

    def __init__(self, transport: Transport, landing: Landing) -> None:
        self._transport = transport
        self._landing = landing

    def item(self, collection: str, item_id: str, figures: Figures) -> Answer | None:
        """The answer with an item; None where neither its URL nor a search by its id has it.

        Where the API has no search, its URL is the only witness.

        Raises:
            StacError: the API failed.
        """
        folder = below(self._landing.collection_url(collection), "items")
        answer = self._transport.read(_checked, "GET", below(folder, item_id), figures=figures, allow=ABSENT)
        if "/" in item_id and not _holds(answer, collection, item_id):
            url = below(folder, *item_id.split("/"))
            answer = self._transport.read(_checked, "GET", url, figures=figures, allow=ABSENT)
        if _holds(answer, collection, item_id):
            return answer
        return self._searched(answer, collection, item_id, figures)

    def _searched(self, answer: Answer, collection: str, item_id: str, figures: Figures) -> Answer | None:
        """What a search by the id finds, as an answer like `answer`, which did not hold the item."""
        question = {"collections": [collection], "ids": [item_id], "limit": 1}
        post = PageRequest("POST", self._landing.endpoint("search", "POST"), body=question)
        get = PageRequest(
            "GET",
            self._landing.endpoint("search", "GET"),
            params={"collections": collection, "ids": item_id, "limit": 1},
        )
        try:
            return self._found(post, answer, collection, item_id, figures)
        except MethodRefused:
            pass
        try:
            return self._found(get, answer, collection, item_id, figures)
        except EndpointMissing:
            return None
        except RequestFailed as error:
            if error.status in ABSENT or error.status in (405, 501):
                return None
            raise

    def _found(
        self, request: PageRequest, answer: Answer, collection: str, item_id: str, figures: Figures
    ) -> Answer | None:
        page = next(item_pages(self._transport, request, figures))
        for item in page.items:
            if _is(item, collection, item_id):
                return replace(answer, status=200, body=object_text(item))
        return None


def _checked(answer: Answer) -> Answer:
    if answer.status < 300:
        decode_item(answer)
    return answer


def _holds(answer: Answer, collection: str, item_id: str) -> bool:
    return answer.status < 300 and _is(decode_item(answer), collection, item_id)


def _is(document: Item | Rejected, collection: str, item_id: str) -> bool:
    """Whether a document is the item that was asked for. One that cannot be read counts as it."""
    if isinstance(document, Rejected):
        return True
    found = [text_in(document.get(name)) for name in ("id", "collection")]
    return found[0] == item_id and found[1] in (collection, None)
