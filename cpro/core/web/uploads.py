"""What a field of files tells `static/files.js`: what the server will refuse; and how that script is answered.

The bounds are those of the rules, which each form hands over; the server judges again whatever is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from flask import Response, request

from cpro.core.formatting import format_size

#: The header by which the script says that it, and no page, reads the answer.
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
    """Return the attributes of a field of files: what it offers, and its bounds.

    `max_bytes` bounds its files together; `refused` says how files begin that are refused, and why, in expressions that
    JavaScript reads as Python does. A `picture` of more than `pixels`, or too heavy, is made smaller: `side` pixels on
    its longer side.
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
    """Let the script that sent files see where it is led: a browser would follow, and lose what that page says once."""
    if response.status_code in (302, 303) and SENT_BY_SCRIPT in request.headers:
        response.status_code = 204
        response.set_data(b"")
    return response
