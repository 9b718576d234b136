"""Bound how many fields a form holds: reading each one costs, before anything says who posts it."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

#: The largest form of ours is a grid: a division of 35 pupils and a dozen competences, several fields each.
MOST_FIELDS = 5_000
_URLENCODED = "application/x-www-form-urlencoded"


class _BoundedParser(FormDataParser):
    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Read a form; Werkzeug counts the parts of a multipart one (`max_form_parts`), and no other's fields.

        Raises `RequestEntityTooLarge` for more than `MOST_FIELDS`, none of them read.
        """
        if mimetype == _URLENCODED:
            body = stream.read()
            if body.count(b"&") >= MOST_FIELDS:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class BoundedRequest(Request):
    """A request whose forms hold a bounded number of fields."""

    form_data_parser_class = _BoundedParser
