"""Answers that are sent while they are read: nothing is held in memory, and the first bytes leave at once."""

from __future__ import annotations

from collections.abc import Iterator

from flask import stream_with_context

from cpro.core import tenancy


def stream_in_scope(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of an answer, read in the scope of this request, whose own session is closed by then.

    A failure half-way ends the connection without the mark of a complete answer.
    """
    scope = tenancy.scope_of()

    def read_in_scope() -> Iterator[bytes]:
        tenancy.enter(scope)
        yield from chunks

    return stream_with_context(read_in_scope())
