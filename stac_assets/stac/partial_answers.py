"""Answers that say of themselves that they are not whole, although their status is 200.

A search engine answers with what its working nodes have (`_shards`, `timed_out`), and a federation with what
its working providers have (`errors`). Taken for whole, such an answer would take rows from the table.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from stac_assets.stac.errors import RequestFailed, RequestTooHeavy
from stac_assets.stac.http.answer import Answer
from stac_assets.stac.http.links import shown

TIMED_OUT = ("timed_out", "timedOut")
PARTIAL = ("partial", "is_partial", "partial_results", "partialResults", "incomplete")
"""Members that say so if they are true."""
FAILURES = (
    *("errors", "error", "failures", "shard_failures", "partial_failures", "partialFailures"),
    *("failed_providers", "failedProviders", "failed_catalogs", "failedCatalogs"),
)
"""Members that say so unless they are empty."""
WARNINGS = ("warnings", "warning", "messages")
"""Members that say so only if their words do: most warnings are harmless."""
ABOUT = ("context", "metadata", "meta", "properties")
"""Objects that hold further members about the whole answer."""
SHARDS = "_shards"
SIGNS = (SHARDS, *TIMED_OUT, *PARTIAL, *FAILURES, *WARNINGS, *ABOUT)
"""All members that may tell."""
MOST_SHOWN = 300
"""The characters of what an answer says that a message repeats."""

_WHO = (
    r"(?:provider|federat|catalog|upstream|back-?end|shard|node|data ?source|server|service|end ?point|index)"
)
_FAILED = (
    r"(?:fail|unavailable|unreachable|not (?:be )?(?:available|reach|respond|answer|quer)"
    r"|did ?n[o']t (?:respond|answer)|no (?:answer|response)|offline|is down)"
)
_LACKS = r"(?:partial|incomplete|truncated)"
_RESULT = r"(?:results?|answer|response)"
_NOT_WHOLE = re.compile(
    rf"{_WHO}.{{0,80}}{_FAILED}|{_FAILED}.{{0,80}}{_WHO}|timed?[ -]?out"
    rf"|{_LACKS} {_RESULT}|{_RESULT} (?:is|are|may be) {_LACKS}",
    re.IGNORECASE | re.DOTALL,
)


class Signs(msgspec.Struct):
    """The members of an answer that tell whether it is whole, as they are decoded."""

    shards: Any = msgspec.field(default=None, name=SHARDS)
    timed_out: Any = None
    timedOut: Any = None  # noqa: N815 - names of members
    partial: Any = None
    is_partial: Any = None
    partial_results: Any = None
    partialResults: Any = None  # noqa: N815
    incomplete: Any = None
    errors: Any = None
    error: Any = None
    failures: Any = None
    shard_failures: Any = None
    partial_failures: Any = None
    partialFailures: Any = None  # noqa: N815
    failed_providers: Any = None
    failedProviders: Any = None  # noqa: N815
    failed_catalogs: Any = None
    failedCatalogs: Any = None  # noqa: N815
    warnings: Any = None
    warning: Any = None
    messages: Any = None
    context: Any = None
    metadata: Any = None
    meta: Any = None
    properties: Any = None

    def given(self) -> dict[str, Any]:
        """Those that were sent."""
        found = {name: getattr(self, name, None) for name in SIGNS} | {SHARDS: self.shards}
        return {name: value for name, value in found.items() if value is not None}


def check_whole(answer: Answer, members: Mapping[str, Any]) -> None:
    """Refuse an answer that says that it is not whole.

    Args:
        answer: the answer.
        members: those of its members that are called as in `SIGNS`, decoded.

    Raises:
        RequestTooHeavy: it took the API too long, so that a smaller question may be answered.
        RequestFailed: it lacks something for another reason.
    """
    for about in (members, *(members.get(name) for name in ABOUT)):
        if isinstance(about, Mapping):
            if cause := next(_timed_out(about), None):
                raise RequestTooHeavy(_message(answer, cause))
            if cause := next(_failed(about), None):
                raise RequestFailed(_message(answer, cause))


def _timed_out(members: Mapping[str, Any]) -> Iterator[Any]:
    yield from ({name: True} for name in TIMED_OUT if members.get(name) is True)


def _failed(members: Mapping[str, Any]) -> Iterator[Any]:
    shards = members.get(SHARDS)
    if isinstance(shards, Mapping):
        total, successful, failed = (shards.get(name) for name in ("total", "successful", "failed"))
        are_lost = isinstance(total, int) and isinstance(successful, int) and successful < total
        if are_lost or (isinstance(failed, int) and failed > 0):
            yield {SHARDS: shards}
    yield from ({name: True} for name in PARTIAL if members.get(name) is True)
    yield from ({name: members[name]} for name in FAILURES if _says_something(members.get(name)))
    for name in WARNINGS:
        if any(map(_NOT_WHOLE.search, _texts(members.get(name)))):
            yield {name: members[name]}


def _says_something(value: Any) -> bool:
    """Whether anything in a value is neither empty, nor null, zero or false."""
    if isinstance(value, str):
        return bool(value.strip())
    if isinstance(value, Mapping):
        return any(map(_says_something, value.values()))
    return any(map(_says_something, value)) if isinstance(value, list) else bool(value)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value, each object with all of its own as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield " ".join(text for each in value.values() for text in _texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _message(answer: Answer, cause: Any) -> str:
    said = answer.told(msgspec.json.encode(cause).decode(errors="replace"), MOST_SHOWN)
    return f"{shown(answer.url)} answered {answer.status}, and says that its answer is not whole: {said}"
