"""Tell the script `static/files.js` what the server will refuse, and answer its requests.

The limits are those of the rules, passed by each form; the server checks every upload again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from flask import Response, request

from cpro.core.formatting import format_size

#: The header by which the script reports that it, not a page, reads the response.
SENT_BY_SCRIPT = "X-CPro-Files"
_EVERYTHING_AS_TEXT = "latin-1"


def bound_files(
    *,
    accept: str,
    max_bytes: int,
    most: int = 1,
    refused: Iterable[tuple[re.Pattern[bytes], str]] = (),
    picture: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """Return the attributes of a file field: the accepted files and its limits.

    `max_bytes` limits its files together; `refused` gives the first bytes of refused files, and why, as expressions
    that JavaScript and Python read alike. A `picture` of more than `pixels`, or too heavy, is resized:
    `side` pixels on its longer side.
    """
    bounds = {
        "bytes": max_bytes,
        "heavy": f"La limite est de {format_size(max_bytes)}\u202f: choisissez-en moins, ou de plus légers."
        if most > 1
        else f"La limite est de {format_size(max_bytes)}\u202f: choisissez un fichier plus léger.",
        "most": most,
        "many": f"{most} fichiers au plus à la fois." if most > 1 else "Un seul fichier à la fois.",
        "refused": [(beginning.pattern.decode(_EVERYTHING_AS_TEXT), sentence) for beginning, sentence in refused],
        **(picture or {}),
    }
    return {"accept": accept, "data-files": json.dumps(bounds)}


def send_redirection_to_script(response: Response) -> Response:
    """Give the script the target of a redirect: following it would consume the messages that the page shows once."""
    if response.status_code in (302, 303) and SENT_BY_SCRIPT in request.headers:
        response.status_code = 204
        response.set_data(b"")
    return response
