"""Limit the number of fields of a form: parsing each one costs time, even before authentication."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

#: Our largest form is a grid: a division of 35 pupils by a dozen competences, with several fields each.
MOST_FIELDS = 5_000
_URLENCODED = "application/x-www-form-urlencoded"


class _BoundedParser(FormDataParser):
    def parse(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        """Parse a form; Werkzeug limits only the parts of a multipart form (`max_form_parts`), not other forms' fields.

        Raises `RequestEntityTooLarge` above `MOST_FIELDS`, before any field is read.
        """
        if mimetype == _URLENCODED:
            body = stream.read()
            if body.count(b"&") >= MOST_FIELDS:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class BoundedRequest(Request):
    """A request whose forms have a limited number of fields."""

    form_data_parser_class = _BoundedParser
