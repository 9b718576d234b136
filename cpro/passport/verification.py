"""Public verification of a passport by its code: issuing school, day, size, and whether a copy is the issued file.

It never says « authentique »: the platform has not seen the paper. Nothing personal leaves this module.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO

from cpro.core.clock import today_in
from cpro.core.printed_codes import ALPHABET, group_printed_code, read_printed_code
from cpro.core.secrets import keyed_hash
from cpro.core.tenancy import platform_session
from cpro.core.transactions import platform_unit_of_work
from cpro.establishments.queries import get_establishment
from cpro.passport import queries
from cpro.passport.errors import TooManyChecks, UnknownCode, UnusableCopy
from cpro.passport.pdf import CODE_LENGTH
from cpro.users.errors import TooManyAttempts
from cpro.users.operations.throttle import Throttle, reserve_attempt

_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LENGTH}}}")
#: Limits per address on unknown codes and on copies compared: attempts before waiting, then before the longest wait;
#: and the time after which an attempt is forgotten.
_UNKNOWN_FREE, _UNKNOWN_BLOCK = 20, 40
_COPIES_FREE, _COPIES_BLOCK = 30, 60
_FORGETS = timedelta(minutes=3)
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Issued:
    """The content of the public page of a passport."""

    #: as printed
    code: str
    school_name: str
    school_uai: str
    #: in the school's time zone
    day: date
    page_count: int
    entry_count: int
    sha256: str


def find_issued(typed: str, *, address: str, now: datetime) -> Issued:
    """Return what the public page shows of the passport with a code, typed in any way.

    Raises `UnknownCode`, or `TooManyChecks` after too many unknown codes from one network address.
    """
    code = read_printed_code(typed[:200])
    if _CODE.fullmatch(code):
        with platform_session("a passport is checked by anyone, whatever the school") as session:
            issue = queries.find_issue(session, code)
            if issue is not None:
                school = get_establishment(session, issue.establishment_id)
                return Issued(
                    code=group_printed_code(code),
                    school_name=issue.school_name,
                    school_uai=issue.school_uai,
                    day=today_in(school.timezone, issue.issued_at),
                    page_count=issue.page_count,
                    entry_count=issue.entry_count,
                    sha256=issue.sha256,
                )
    _count(f"passport:{address}", _UNKNOWN_FREE, _UNKNOWN_BLOCK, now=now)
    raise UnknownCode


def is_the_file_issued(issued: Issued, copy: BinaryIO, *, address: str, now: datetime) -> bool:
    """Return whether a copy is byte for byte the issued file; it is read in chunks and never stored.

    Raises `UnusableCopy` for an empty file, `TooManyChecks` after too many copies from one network address.
    """
    _count(f"passport-copy:{address}", _COPIES_FREE, _COPIES_BLOCK, now=now)
    digest, is_empty = hashlib.sha256(), True
    while chunk := copy.read(_CHUNK):
        digest.update(chunk)
        is_empty = False
    if is_empty:
        raise UnusableCopy("Ce fichier est vide\u202f: choisissez le passeport reçu, au format PDF.", field="copy")
    return digest.hexdigest() == issued.sha256


def _count(named: str, free: int, block: int, *, now: datetime) -> None:
    throttle = Throttle(keyed_hash("failures", named), free, block, _FORGETS)
    try:
        with platform_unit_of_work("a passport is checked: how often from one address") as work:
            reserve_attempt(work.session, [throttle], now=now)
    except TooManyAttempts as refusal:
        raise TooManyChecks(refusal.seconds) from None
