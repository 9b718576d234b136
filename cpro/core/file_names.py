"""Names of files made from people's words, for every system: Windows, macOS, Linux, archives and headers."""

from __future__ import annotations

import re
import unicodedata

from cpro.core.validators import fold

#: In bytes of UTF-8, without the suffix: systems take 255, and unpacking an archive adds folders.
_LONGEST = 120
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)


def safe_file_name(*parts: str, suffix: str) -> str:
    """Return « passeport-agate-noe.pdf »: words in lower case without accents, of letters and digits, between hyphens.

    Letters of other alphabets stay. No name is empty, reserved by Windows, too long, or ends with a dot or a space.
    `suffix` comes without its dot.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", fold(" ".join(parts))))
    name = "-".join(words)
    shortened = name.encode()[:_LONGEST].decode(errors="ignore").strip("-")
    if not shortened or _RESERVED.fullmatch(shortened):
        shortened = f"fichier-{shortened}".strip("-")
    return f"{shortened}.{suffix}"
