"""What seals a backup and opens it: the disk's refusal is kept, and a damaged file is told from another key."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable

import pyrage
import pytest

from cpro.backup.archive import Damaged
from cpro.backup.sealing import Keys, NoKey, opening, sealing

# A passphrase costs a second, on purpose.
pytestmark = [pytest.mark.integration, pytest.mark.any_database]
CONTENT = bytes(range(256)) * 1000


def keys_of(kind: str) -> tuple[Keys, Keys, Keys]:
    """Return what seals, what opens and what does not."""
    if kind == "passphrase":
        good = Keys(passphrase="grès vif et marne")
        return good, good, Keys(passphrase="autre chose")
    own, other = (pyrage.x25519.Identity.generate() for _number in range(2))
    return Keys(recipient=str(own.to_public())), Keys(identity=str(own)), Keys(identity=str(other))


def sealed(keys: Keys) -> bytes:
    out = io.BytesIO()
    with sealing(out, keys) as stream:
        stream.write(CONTENT)
    return out.getvalue()


def opened(content: bytes, keys: Keys) -> bytes:
    with opening(io.BytesIO(content), keys) as stream:
        return stream.read()


def header_cut(content: bytes) -> bytes:
    return content[: content.rindex(b"\n--- ") - 10]


def header_changed(content: bytes) -> bytes:
    end = content.rindex(b"\n--- ")
    return content[: end + 10] + bytes([content[end + 10] ^ 1]) + content[end + 11 :]


def first_header_cut(content: bytes) -> bytes:
    return content[:100]


def first_header_changed(content: bytes) -> bytes:
    return content[:100] + (b"A" if content[100:101] != b"A" else b"B") + content[101:]


def nothing_after_the_version(content: bytes) -> bytes:
    return content[: content.index(b"age-encryption.org/v1\n") + 22]


@pytest.mark.parametrize("kind", ["passphrase", "age key"])
def test_sealing_raises_what_the_disk_refused(kind: str) -> None:
    """`/dev/full` refuses each byte, as a disk that is full does."""
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError) as refused:
        with sealing(full, keys_of(kind)[0]) as stream:
            for _number in range(100):
                stream.write(CONTENT)
    assert refused.value.errno == errno.ENOSPC


@pytest.mark.parametrize("harm", [header_cut, header_changed, nothing_after_the_version])
def test_opening_tells_a_damaged_header_of_an_age_key(harm: Callable[[bytes], bytes]) -> None:
    seals, opens, _other = keys_of("age key")
    with pytest.raises(Damaged):
        opened(harm(sealed(seals)), opens)


@pytest.mark.slow
def test_opening_tells_a_damaged_header_of_a_passphrase() -> None:
    seals, opens, other = keys_of("passphrase")
    whole = sealed(seals)
    for harm in (first_header_cut, first_header_changed, header_cut, header_changed, nothing_after_the_version):
        with pytest.raises(Damaged):
            opened(harm(whole), opens)
    with pytest.raises(NoKey):
        opened(whole, other)
    assert opened(whole, opens) == CONTENT


def test_opening_refuses_a_first_part_that_holds_no_key() -> None:
    words = "grès vif et marne"
    for content in (b"no key", b"\xff"):
        with pytest.raises(Damaged):
            opened(pyrage.passphrase.encrypt(content, words, armored=True), Keys(passphrase=words))


def test_opening_refuses_another_key() -> None:
    seals, opens, other = keys_of("age key")
    whole = sealed(seals)
    assert opened(whole, opens) == CONTENT
    with pytest.raises(NoKey):
        opened(whole, other)


def test_an_empty_recipient_is_refused_rather_than_none() -> None:
    with pytest.raises(NoKey):
        Keys(recipient="")
