"""Record in the journal the deposits refused at once: they leave no import to find them by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from cpro.audit.operations import About, record
from cpro.audit.queries import select_times_of
from cpro.core.errors import DomainError
from cpro.core.formatting import mask_ines
from cpro.core.permissions import Actor
from cpro.core.rate_limits import HOUR, RateLimit
from cpro.extensions import db
from cpro.imports.errors import FileRefused
from cpro.imports.models import REFUSALS_CUT, REFUSED_DEPOSIT

#: The lines of an account: a flood of refused deposits cannot flood the journal. One more line says that it is cut.
LIMIT, _CUT_LIMIT = RateLimit(10, HOUR), RateLimit(1, HOUR)
#: The words of the names that the ministry's applications give their files, with an UAI, a year, the number of a copy.
_KNOWN_WORDS = re.compile(
    r"exportxml|eleves(sansadresses|avecadresses)?|structures?|nomenclatures?|sts|emp|\d{7}[a-z]|\d{1,4}", re.IGNORECASE
)
#: What a file may be, shown; and what looks like a file's name in a sentence, masked.
_KNOWN_EXTENSION = re.compile(r"\.(xml|zip|csv|txt|xlsx?|ods|pdf|docx?|odt|png|jpe?g|gz|7z|rar)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.[a-z0-9]{1,5}", re.IGNORECASE)
_QUOTED = re.compile(r"(?<=«\s)[^»]*(?=\s»)")


def record_refused_deposit(names: Sequence[str], refusal: DomainError, *, by: Actor, now: datetime) -> None:
    """Record the names of the files, as `mask_file_name` leaves them, and the sentence of the refusal; never content.

    Beyond `LIMIT` for the actor, one line says that further refusals are not recorded, then nothing is.
    """
    assert by.id is not None, "deposits are made by accounts"
    is_cut, is_cut_said = (
        limit.is_reached(db.session(), select_times_of(by.kind, by.id, action), now=now)
        for limit, action in ((LIMIT, REFUSED_DEPOSIT), (_CUT_LIMIT, REFUSALS_CUT))
    )
    if is_cut:
        if not is_cut_said:
            record(REFUSALS_CUT, About("import_deposit", "", "Autres dépôts"), by=by, now=now)
        return
    about = About("import_deposit", "", ", ".join(mask_file_name(each) for each in names))
    known = {*names, refusal.file_name} if isinstance(refusal, FileRefused) else {*names}
    sentence = _QUOTED.sub(lambda found: _mask_quoted(found[0], known), refusal.message)
    record(REFUSED_DEPOSIT, about, by=by, now=now, changes={"refusal": (None, mask_ines(sentence))})


def mask_file_name(name: str) -> str:
    """Return the name of a file with all but a known extension hidden, unless only the ministry's words make it.

    People name files after pupils, and the journal is never rewritten. « export.zip › Eleves.xml » is two names.
    """
    return " › ".join(_mask_part(each) for each in name.split(" › "))


def _mask_part(name: str) -> str:
    path = PurePosixPath(name)
    extension = path.suffix if _KNOWN_EXTENSION.fullmatch(path.suffix) else ""
    words = [each for each in re.split(r"[\s_().-]+", name.removesuffix(extension)) if each]
    is_known = any(re.match(r"\D", each) for each in words) and all(map(_KNOWN_WORDS.fullmatch, words))
    return name if is_known else f"•••{extension}"


def _mask_quoted(text: str, names: set[str]) -> str:
    """Return a quoted part of a sentence, masked if it names a file: one deposited, or one found in an archive."""
    return mask_file_name(text) if text in names or _EXTENSION.fullmatch(PurePosixPath(text).suffix) else text
