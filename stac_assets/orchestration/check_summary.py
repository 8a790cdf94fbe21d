"""The outcome of a check for all partitions of a run together."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stac_assets.orchestration.check_rules import ERROR, WARN, Judgement
from stac_assets.orchestration.short_tables import short_table
from stac_assets.stac.wording import counted

NAMED = 3
"""Partitions that the description names."""
TABLE_ROWS = 100
"""Partitions that the table of findings shows."""


def summary(judgements: Mapping[str, Judgement], earlier: Mapping[str, Judgement]) -> Judgement:
    """The outcome of a check of an asset: it passes if it passes in every partition.

    Args:
        judgements: the outcome in each partition of this run, by the partition's key.
        earlier: the failures in partitions that have not been loaded since.
    """
    failed = {key: one for key, one in judgements.items() if not one.passed}
    notes = {key: one for key, one in judgements.items() if one.passed and one.is_remarkable}
    parts = [_of_this_run(judgements, failed)]
    if earlier:
        are = counted(len(earlier), "partition of an earlier run fails", "partitions of earlier runs fail")
        parts.append(f"{are} until loaded again: {_named(earlier)}")
    if notes and len(judgements) > 1:
        parts.append(_named(notes))
    totals: Counter[str] = Counter()
    for one in judgements.values():
        totals.update({name: value for name, value in one.metadata.items() if type(value) is int})
    counts = {"partitions": len(judgements), "partitions_failed": len(failed)}
    if earlier:
        counts["partitions_failed_earlier"] = len(earlier)
    metadata: dict[str, Any] = {**counts, **totals}
    if len(judgements) == 1:
        (only,) = judgements.values()
        metadata |= only.metadata
    findings = [
        {"partition": key, "finding": one.description, "severity": one.severity.value}
        for key, one in (*failed.items(), *earlier.items(), *notes.items())
    ]
    if findings:
        metadata["partitions_table"] = short_table(findings, TABLE_ROWS)
    severities = {one.severity for one in (*failed.values(), *earlier.values())}
    severity = WARN if severities == {WARN} else ERROR
    return Judgement(not failed and not earlier, "; ".join(parts), severity, metadata)


def _of_this_run(judgements: Mapping[str, Judgement], failed: Mapping[str, Judgement]) -> str:
    if len(judgements) == 1:
        return _named(judgements)
    many = counted(len(judgements), "partition")
    if failed:
        return f"{len(failed)} of {many} failed: {_named(failed)}"
    keys = sorted(judgements)
    if len(keys) <= NAMED:
        return f"{many} passed: {', '.join(keys)}"
    return f"{many} passed, the first {keys[0]}, the last {keys[-1]}"


def _named(judgements: Mapping[str, Judgement]) -> str:
    shown = [f"{key}: {one.description}" for key, one in list(judgements.items())[:NAMED]]
    more = len(judgements) - len(shown)
    return "; ".join([*shown, f"and {more} more"] if more else shown)
