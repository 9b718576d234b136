"""Stream responses while they are read: nothing is kept in memory, and the first bytes leave at once."""

from __future__ import annotations

from collections.abc import Iterator

from flask import stream_with_context

from cpro.core import tenancy


def stream_in_scope(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a response, read in the tenant scope of this request, whose own session is closed by then.

    A failure half-way closes the connection without the end mark of a complete response.
    """
    scope = tenancy.scope_of()

    def read_in_scope() -> Iterator[bytes]:
        tenancy.enter(scope)
        yield from chunks

    return stream_with_context(read_in_scope())
