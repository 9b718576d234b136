"""Random codes that people read in print and type, in an alphabet without letters that look alike.

Crockford's base 32, five bits a letter: no I, L, O, U. What is typed may be in lower case, with spaces or hyphens.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP = 4
_MISREAD = str.maketrans(
    {"I": "1", "L": "1", "O": "0", **dict.fromkeys("- \u00a0\u202f\u2010\u2011\u2012\u2013\t\r\n", None)}
)


def generate_printed_code(length: int) -> str:
    """Return a code of so many letters, five random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def group_printed_code(code: str) -> str:
    """Return the code as it is printed: « ABCD-EFGH-JKMN »."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read_printed_code(typed: str) -> str:
    """Return the code that a typed text stands for, whether or not there is such a code."""
    return typed.upper().translate(_MISREAD)
