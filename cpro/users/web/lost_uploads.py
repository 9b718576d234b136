"""Name, after a new sign-in, the files that were not uploaded because the earlier sign-in had ended.

Browsers never refill a file field: unlike typed input, files cannot be kept and shown again. Only their names are kept,
in the cookie, for the owner of the sign-in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import flash, request, session
from werkzeug.exceptions import RequestEntityTooLarge

from cpro.core.formatting import join_french

#: The cookie's entry: the owner, and the file names.
ENTRY = "lost_upload"
_MULTIPART = "multipart/form-data"
_FILE = re.compile(rb'Content-Disposition: form-data; name="[^"\r\n]{0,100}"; filename="([^"\r\n]{1,1000})"', re.I)
#: Bytes searched again between two chunks: more than the longest part header.
_OVERLAP = 1200
_PIECE_SIZE = 1 << 16
_MOST_NAMES = 3
_LONGEST_NAME = 80
_ENDED = "Votre session a pris fin pendant l’envoi\u202f: rien n’a été déposé. Connectez-vous pour recommencer."


def is_upload() -> bool:
    """Return whether the request contains files, or could."""
    return request.method == "POST" and request.mimetype == _MULTIPART


def note(owner: str, max_body: int | None) -> None:
    """Remember the names of the files in a late request, and flash that the person must sign in.

    The request is read to its end and discarded: a browser answered before it has sent everything shows no answer.
    """
    session[ENTRY] = {"owner": owner, "names": _read_names(max_body)}
    flash(_ENDED, "warning")


def flash_names(owner: str) -> None:
    """Flash the names of the files that the newly signed-in person must choose again; discard another person's."""
    lost = session.pop(ENTRY, None)
    if lost is not None and lost.get("owner") == owner:
        flash(sentence_of(lost.get("names", [])), "warning")


def sentence_of(names: Sequence[str]) -> str:
    """Return the sentence about files that were not uploaded."""
    listed = join_french([f"«\u202f{name}\u202f»" for name in names])
    begun = "Votre session a pris fin pendant l’envoi\u202f:"
    if not names:
        return f"{begun} rien n’a été déposé. Choisissez à nouveau vos fichiers."
    if len(names) == 1:
        return f"{begun} le fichier {listed} n’a pas été déposé. Choisissez-le à nouveau."
    return f"{begun} les fichiers {listed} n’ont pas été déposés. Choisissez-les à nouveau."


def _read_names(max_body: int | None) -> list[str]:
    if max_body is not None:
        request.max_content_length = max_body
    names: list[str] = []
    seen = b""
    try:
        while piece := request.stream.read(_PIECE_SIZE):
            seen = seen[-_OVERLAP:] + piece
            names += [name for name in map(_clean, _FILE.findall(seen)) if name not in names]
    except RequestEntityTooLarge:
        pass  # too large to be uploaded anyway: not read
    return names[:_MOST_NAMES]


def _clean(name: bytes) -> str:
    """Return a file's name as its owner knows it: browsers encode a quotation mark as %22."""
    text = name.decode("utf-8", "replace").replace("%22", '"')
    return "".join(character for character in text if character.isprintable())[:_LONGEST_NAME]
