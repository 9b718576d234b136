"""File names built from users' text, valid everywhere: Windows, macOS, Linux, archives and headers."""

from __future__ import annotations

import re
import unicodedata

from cpro.core.validators import fold

#: In bytes of UTF-8, without the suffix: systems allow 255, and unpacking an archive adds folders.
_LONGEST = 120
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)


def safe_file_name(*parts: str, suffix: str) -> str:
    """Return a name like « passeport-agate-noe.pdf »: lower case, no accents, letters and digits joined by hyphens.

    Letters of other alphabets are kept. The name is never empty, reserved by Windows, too long, or ended by a dot or
    a space. `suffix` is given without its dot.
    """
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", fold(" ".join(parts))))
    name = "-".join(words)
    shortened = name.encode()[:_LONGEST].decode(errors="ignore").strip("-")
    if not shortened or _RESERVED.fullmatch(shortened):
        shortened = f"fichier-{shortened}".strip("-")
    return f"{shortened}.{suffix}"
