"""Encryption of a backup with age (age-encryption.org), which can open it without CPro too.

For a recipient (`age1…`), the file is what `age -d -i IDENTITY FILE` opens. Under a passphrase, it begins with a key of
its own, sealed under the passphrase in a first age file, in text; the rest is the backup sealed for that key: the
library can seal under a passphrase only content held in memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from cpro.backup.archive import Damaged
from cpro.core.errors import DomainError

_ARMOUR, _END = b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----"
_SEALED = b"age-encryption.org/v1"
_LONGEST_KEY = 100  # lines
#: The library's message for a wrong key; any other message means a damaged file.
_OTHER_KEY = frozenset({"No matching keys found", "Decryption failed"})


class NoKey(DomainError):
    """Refuse to open an encrypted backup without its passphrase or key."""


class Keys:
    """What seals or opens a backup: a passphrase, or an age key (recipient to seal, identity to open), or nothing.

    Raises `NoKey` for a text that is not an age key.
    """

    def __init__(self, *, passphrase: str = "", recipient: str | None = None, identity: str | None = None) -> None:
        self.passphrase = passphrase
        self.recipient = None if recipient is None else _parsed("Recipient", recipient)
        self.identity = None if identity is None else _parsed("Identity", identity)


@contextmanager
def sealing(sink: BinaryIO, keys: Keys) -> Iterator[BinaryIO]:
    """Yield a stream whose content is written sealed to `sink`, or unchanged without a key.

    Raises the sink's OSError.
    """
    import pyrage

    recipient = keys.recipient
    if keys.passphrase:
        own = pyrage.x25519.Identity.generate()
        sink.write(pyrage.passphrase.encrypt(str(own).encode(), keys.passphrase, armored=True).rstrip() + b"\n")
        recipient = own.to_public()
    if recipient is None:
        yield sink
        return
    reading, writing = os.pipe()
    source, stream = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
    kept = _ErrorKept(sink)
    work = _Beside(lambda: pyrage.encrypt_io(source, kept, [recipient]), source)
    try:
        yield stream
        stream.close()
    except BrokenPipeError:
        pass  # the cause is reported below
    finally:
        with suppress(OSError):
            stream.close()
        work.join()
    if error := kept.error or work.error:
        raise error


@contextmanager
def opening(source: BinaryIO, keys: Keys) -> Iterator[BinaryIO]:
    """Yield the content of a file, decrypted if it is sealed.

    Raises `NoKey`, or `Damaged` for a damaged age header; after a truncated or altered part, the stream ends too early.
    """
    first = source.readline(len(_ARMOUR) + 2)
    source.seek(0)
    if not first.startswith((_ARMOUR, _SEALED)):
        yield source
        return
    import pyrage

    identity = _own_identity(source, keys) if first.startswith(_ARMOUR) else keys.identity
    if identity is None:
        raise NoKey("Cette sauvegarde est chiffrée pour une clé age\u202f: donnez-la avec --identity-file.")
    reading, writing = os.pipe()
    stream, sink = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")
    work = _Beside(lambda: pyrage.decrypt_io(source, sink, [identity]), sink)
    try:
        yield stream
    finally:
        stream.close()
        work.join()
        if isinstance(work.error, pyrage.DecryptError):
            raise _refusal(work.error, "Cette clé n’ouvre pas la sauvegarde.") from work.error


def _own_identity(source: BinaryIO, keys: Keys) -> Any:
    """Return the key at the beginning of a file, opened with the passphrase. Raises `NoKey` or `Damaged`."""
    import pyrage

    if not keys.passphrase:
        raise NoKey(
            "Cette sauvegarde est chiffrée\u202f: donnez sa phrase secrète avec --passphrase-file, --passphrase ou "
            "CPRO_BACKUP_PASSPHRASE."
        )
    armoured = b""
    for _number in range(_LONGEST_KEY):
        armoured += (line := source.readline(200))
        if line.startswith(_END):
            break
    try:
        own = pyrage.passphrase.decrypt(armoured, keys.passphrase)
    except pyrage.DecryptError as error:
        raise _refusal(error, "La phrase secrète n’ouvre pas cette sauvegarde.") from error
    try:
        return _parsed("Identity", own.decode())
    except (NoKey, UnicodeDecodeError) as error:
        raise Damaged from error


def _refusal(error: Exception, other_key: str) -> DomainError:
    """Return the error for a file that the library did not open: another key, or a damaged file."""
    return NoKey(other_key) if str(error) in _OTHER_KEY else Damaged()


def _parsed(kind: str, text: str) -> Any:
    """Return an age key parsed from text, skipping the lines that begin with #."""
    import pyrage

    line = next((line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    try:
        return getattr(pyrage.x25519, kind).from_str(line)
    except (pyrage.RecipientError, pyrage.IdentityError) as error:
        expected = "age1…" if kind == "Recipient" else "AGE-SECRET-KEY-1…"
        raise NoKey(f"La clé age doit ressembler à «\u202f{expected}\u202f».") from error


class _ErrorKept:
    """A stream that keeps the system's error: the library raises it as an error of its own, without its errno."""

    def __init__(self, stream: BinaryIO) -> None:
        self.error: OSError | None = None
        self._stream = stream

    def write(self, content: bytes) -> int:
        """Write."""
        try:
            return self._stream.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Flush."""
        try:
            self._stream.flush()
        except OSError as error:
            self.error = error
            raise


class _Beside:
    """Work in a thread on one end of a pipe, which is always closed at the end."""

    def __init__(self, work: Callable[[], object], end: BinaryIO) -> None:
        self.error: BaseException | None = None
        self._work, self._end = work, end
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread to end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # reported by the thread that waits
            self.error = error
        finally:
            with suppress(OSError):
                self._end.close()
