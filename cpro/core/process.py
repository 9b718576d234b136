"""Prepare a process of the platform before it reads anything: private files, printable messages, French."""

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
#: Characters of French typography that Unicode does not decompose.
_LOOKALIKES = str.maketrans(
    {"’": "'", "‘": "'", "«": '"', "»": '"', "–": "-", "—": "-", "œ": "oe", "Œ": "OE", "€": "EUR"}
)


def prepare_process() -> None:
    """Make the files of this process private, and let any console print its messages, in French.

    The database and the pictures contain personal data. A console in ISO-8859-15 has no « ’ », and one character
    must neither stop the start nor lose the generated password. Click translates its own messages through gettext,
    which reads the language from the environment: the interface has only one.
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
    """Disable Python's cycle collector while building objects that last as long as the process.

    It would repeatedly walk the two hundred thousand objects of a start, none of which is freed: a fifth of its
    time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _replace_with_plain(error: UnicodeError) -> tuple[str, int]:
    """Return the nearest ASCII text for characters missing from a console's charset, « ? » where there is none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = unicodedata.normalize("NFKD", error.object[error.start : error.end].translate(_LOOKALIKES))
    plain = "".join(sign if sign.isascii() else "?" for sign in signs if not unicodedata.combining(sign))
    return plain, error.end
