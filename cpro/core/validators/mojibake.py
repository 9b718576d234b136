"""Detect text decoded with the wrong encoding or escaped once too often, and repair it where that is certain.

Five faults are repaired: UTF-8 read as Windows-1252 or ISO-8859, once or several times (by ftfy if only part of the
text is affected); Mac OS Roman read as Windows-1252, as written by old versions of Excel for Mac; HTML entities left
in the text; the percent-encoding of a URL; UTF-8 read in a DOS window. A replacement character (U+FFFD) means that
letters are lost: such a text is refused.
"""

from __future__ import annotations

import html
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote_to_bytes

_LOST = "�"
_ENTITY = re.compile(r"&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,7});")
#: How many times a text may have been damaged in the same way.
_TIMES = 3
#: « à » in UTF-8 is misread as Ã and a no-break space, which readers trim or replace by another blank; no word ends in
#: a lower-case letter and Ã.
_LOST_BLANK = re.compile(r"(?<=[a-zß-öø-ÿ])Ã(?=\s|$)")
_CAPITAL_INSIDE = re.compile("[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]")
#: What é, É, à, â, ô, û… of Mac OS Roman become in Windows-1252, where no real word has them: a capital Ž after a
#: lower-case letter, signs inside a word or at its ends.
_MAC_SIGNS = re.compile(
    r"(?<=[a-z])Ž|(?<=[A-Za-z])[ƒˆ‰\x8d\x8f\x90\x9d]|[ƒˆ‰\x8d\x8f\x90\x9d](?=[A-Za-z])|(?<=[A-Za-z])[™•‚„†‡](?=[A-Za-z])"
)
#: A percent-encoded byte above 127, after a letter; « 100 %DE » in a label is not one.
_PERCENT = re.compile(r"(?<=[A-Za-z])%[89A-Fa-f][0-9A-Fa-f]")
_FRAME = re.compile(r"(?<=[A-Za-z])[\u2500-\u257f]\S")
#: Letters decoded correctly: a text with one of them was not written in Mac OS Roman.
_WELL_READ = re.compile(r"[àâçèéêëîïôùûü]")


@lru_cache(maxsize=4096)
def repair_text(text: str) -> str | None:
    """Return the text as it was before damage: unchanged when nothing is wrong, None when letters are lost."""
    if text.isascii() and "&" not in text and "%" not in text:
        return text
    repaired = _from_dos(_unquote(_unescape(text)))
    for _ in range(_TIMES):
        decoded = _from_utf8(repaired)
        if decoded == repaired:
            break
        repaired = decoded
    repaired = _LOST_BLANK.sub("à", repaired)
    if _MAC_SIGNS.search(repaired) and not _WELL_READ.search(repaired):
        repaired = _from_mac_roman(repaired)
    return None if _LOST in repaired else repaired


def _from_utf8(text: str) -> str:
    """Return the text decoded again if its UTF-8 was read as Windows-1252 or ISO-8859-15, else the same text.

    If both encodings work, choose the text with the fewest capitals after lower-case letters: « Ãš » is « Ú » or « è
    ».
    """
    found = []
    for encoding in ("cp1252", "iso8859-15"):
        with suppress(UnicodeError):
            found.append(text.encode(encoding).decode("utf-8"))
    if found:
        return min(found, key=lambda each: len(_CAPITAL_INSIDE.findall(each)))
    decoded = _repair_part(text)
    return decoded if len(decoded) < len(text) else text  # misread UTF-8 is longer; nothing else is repaired here


def _repair_part(text: str) -> str:
    """Return the text with the parts decoded with the wrong encoding repaired."""
    import ftfy  # a tenth of a second, spared to a process that reads no such text

    # Lossy sequences are left unchanged: they would be guessed, not repaired. Entities are handled separately.
    encoding_only = ftfy.TextFixerConfig(unescape_html=False, replace_lossy_sequences=False, fix_c1_controls=False)
    return ftfy.fix_encoding(text, encoding_only)


def _unescape(text: str) -> str:
    for _ in range(_TIMES):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    return text


def _unquote(text: str) -> str:
    """Return the text with percent-encoding decoded: « DUR%E9ND » gives « DURéND »."""
    if not _PERCENT.search(text):
        return text
    content = unquote_to_bytes(text)
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeError):
            return content.decode(encoding)
    return _LOST


def _from_dos(text: str) -> str:
    """Return the text decoded again if its UTF-8 was read in a DOS code page (box characters among letters)."""
    if _FRAME.search(text):
        for encoding in ("cp850", "cp437"):
            with suppress(UnicodeError):
                return text.encode(encoding).decode("utf-8")
    return text


def _from_mac_roman(text: str) -> str:
    """Return the text decoded as Mac OS Roman if it then has only letters in its words, else the same text."""
    try:
        found = "".join(_byte_of(char) for char in text).encode("latin-1").decode("mac_roman")
    except UnicodeError:
        return text
    words = re.sub(r"[\s'’.\-°/()0-9]", "", found)
    return found if words.isalpha() else text


def _byte_of(char: str) -> str:
    """Return the character whose code is this one's byte in Windows-1252. Raises UnicodeError."""
    try:
        return char.encode("cp1252").decode("latin-1")
    except UnicodeEncodeError:
        if ord(char) < 0x100:  # one of the five bytes undefined in Windows-1252
            return char
        raise
