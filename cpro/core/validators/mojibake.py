"""Find a text decoded with the wrong encoding or escaped once too often, and repair it where that is certain.

Five faults are repaired: UTF-8 read as Windows-1252 or ISO-8859, once or several times (by ftfy where only a part of
the text is); Mac OS Roman read as Windows-1252, which old Excel for Mac writes; HTML entities left in the text; the
percent signs of an address; UTF-8 read in a DOS window. A
replacement character (U+FFFD) stands for letters that are lost: such a text is refused.
"""

from __future__ import annotations

import html
import re
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote_to_bytes

_LOST = "�"
_ENTITY = re.compile(r"&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|[A-Za-z][A-Za-z0-9]{1,7});")
#: How often a text may have been spoiled in one way.
_TIMES = 3
#: « à » of UTF-8 is Ã and a no-break space, which readers trim or take for any other blank; no word ends in a small
#: letter and Ã.
_LOST_BLANK = re.compile(r"(?<=[a-zß-öø-ÿ])Ã(?=\s|$)")
_CAPITAL_INSIDE = re.compile("[a-zß-öø-ÿ][A-ZÀ-ÖØ-Þ]")
#: What é, É, à, â, ô, û… of Mac OS Roman become in Windows-1252, in places where no word has them: a capital Ž after a
#: small letter, signs inside a word or at its ends.
_MAC_SIGNS = re.compile(
    r"(?<=[a-z])Ž|(?<=[A-Za-z])[ƒˆ‰\x8d\x8f\x90\x9d]|[ƒˆ‰\x8d\x8f\x90\x9d](?=[A-Za-z])|(?<=[A-Za-z])[™•‚„†‡](?=[A-Za-z])"
)
#: A byte above 127 written as an address writes it, after a letter: « 100 %DE » of a label is none.
_PERCENT = re.compile(r"(?<=[A-Za-z])%[89A-Fa-f][0-9A-Fa-f]")
_FRAME = re.compile(r"(?<=[A-Za-z])[\u2500-\u257f]\S")
#: Letters rightly read: a text that holds one was not written in Mac OS Roman.
_WELL_READ = re.compile(r"[àâçèéêëîïôùûü]")


@lru_cache(maxsize=4096)
def repair_text(text: str) -> str | None:
    """Return a text as it was before it was spoiled: itself when nothing is wrong, None when letters are lost."""
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
    """Return the text whose UTF-8 was read as Windows-1252 or ISO-8859-15, the same text when it was not.

    Where both give a text, the one with the fewest capitals after small letters: « Ãš » is « Ú » or « è ».
    """
    found = []
    for encoding in ("cp1252", "iso8859-15"):
        with suppress(UnicodeError):
            found.append(text.encode(encoding).decode("utf-8"))
    if found:
        return min(found, key=lambda each: len(_CAPITAL_INSIDE.findall(each)))
    decoded = _repair_part(text)
    return decoded if len(decoded) < len(text) else text  # UTF-8 misread is longer; nothing else is repaired here


def _repair_part(text: str) -> str:
    """Return a text of which a part only was read with the wrong encoding, repaired."""
    import ftfy  # a tenth of a second, which a process that reads no such text is spared

    # Lossy sequences are left alone: they would be guessed, not repaired. Entities have their own rule.
    encoding_only = ftfy.TextFixerConfig(unescape_html=False, replace_lossy_sequences=False, fix_c1_controls=False)
    return ftfy.fix_encoding(text, encoding_only)


def _unescape(text: str) -> str:
    for _ in range(_TIMES):
        if not _ENTITY.search(text):
            break
        text = html.unescape(text)
    return text


def _unquote(text: str) -> str:
    """Return the text without the percent signs of an address that was not decoded: « DUR%E9ND » is « DURéND »."""
    if not _PERCENT.search(text):
        return text
    content = unquote_to_bytes(text)
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeError):
            return content.decode(encoding)
    return _LOST


def _from_dos(text: str) -> str:
    """Return the text whose UTF-8 was read as the code page of a DOS window, known by its frames among letters."""
    if _FRAME.search(text):
        for encoding in ("cp850", "cp437"):
            with suppress(UnicodeError):
                return text.encode(encoding).decode("utf-8")
    return text


def _from_mac_roman(text: str) -> str:
    """Return the text decoded as Mac OS Roman if every letter then stands among letters, the same text otherwise."""
    try:
        found = "".join(_byte_of(char) for char in text).encode("latin-1").decode("mac_roman")
    except UnicodeError:
        return text
    words = re.sub(r"[\s'’.\-°/()0-9]", "", found)
    return found if words.isalpha() else text


def _byte_of(char: str) -> str:
    """Return the character whose code is the byte that Windows-1252 reads as this one; raises UnicodeError."""
    try:
        return char.encode("cp1252").decode("latin-1")
    except UnicodeEncodeError:
        if ord(char) < 0x100:  # five bytes that Windows-1252 leaves undefined
            return char
        raise
