"""What a process of the platform owes its machine, before it reads anything: private files, readable sentences."""

from __future__ import annotations

import codecs
import gc
import gettext
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cpro.core.logs import configure_logs

_PLAIN = "cpro.plain"
#: What French typography has no decomposition for.
_LOOKALIKES = str.maketrans(
    {"’": "'", "‘": "'", "«": '"', "»": '"', "–": "-", "—": "-", "œ": "oe", "Œ": "OE", "€": "EUR"}
)


def prepare_process() -> None:
    """Make the files of this process its owner's alone, and let any console show what it prints, in French.

    The database and the pictures hold personal data; a console in ISO-8859-15 has no « ’ », and one sign must neither
    stop the start nor take the drawn password with it. Click asks gettext for its own words, which asks the environment
    for a language: the interface has one.
    """
    configure_logs()
    os.umask(0o077)
    os.environ["LANGUAGE"] = "fr"
    gettext.bindtextdomain("messages", Path(__file__).with_name("locale"))
    codecs.register_error(_PLAIN, _replace_with_plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_PLAIN)


@contextmanager
def without_collector() -> Iterator[None]:
    """Build, without Python's collector of cycles, what lasts as long as the process.

    It would walk over and over the two hundred thousand objects of a start, of which none goes: a fifth of its time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _replace_with_plain(error: UnicodeError) -> tuple[str, int]:
    """Return the nearest ASCII text of what a console's charset lacks, « ? » for what has none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = unicodedata.normalize("NFKD", error.object[error.start : error.end].translate(_LOOKALIKES))
    plain = "".join(sign if sign.isascii() else "?" for sign in signs if not unicodedata.combining(sign))
    return plain, error.end
