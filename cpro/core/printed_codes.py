"""Random codes, printed then typed by hand, in an alphabet without letters that look alike.

Crockford's base 32, five bits a letter: no I, L, O, U. Lower case, spaces and hyphens are accepted when typed.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP = 4
_MISREAD = str.maketrans(
    {"I": "1", "L": "1", "O": "0", **dict.fromkeys("- \u00a0\u202f\u2010\u2011\u2012\u2013\t\r\n", None)}
)


def generate_printed_code(length: int) -> str:
    """Return a code of `length` letters, five random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def group_printed_code(code: str) -> str:
    """Return the code as it is printed: « ABCD-EFGH-JKMN »."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read_printed_code(typed: str) -> str:
    """Return the canonical form of a typed code, whether or not such a code exists."""
    return typed.upper().translate(_MISREAD)
