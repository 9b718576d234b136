"""The passports of a division in one ZIP, stored apart from the pictures for a few days, for the user who asked."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from cpro.core.jobs.files import JobFiles
from cpro.passport import queries
from cpro.passport.letterhead import Letterhead
from cpro.passport.pdf import Passport, render_passport

ARCHIVES = JobFiles(
    kind="passport:division",
    folder="passports",
    unknown="Ces passeports n’existent pas, ou ne sont pas les vôtres.",
    gone="Ces passeports ne sont plus conservés\u202f: demandez-les à nouveau depuis la division.",
    key="archive",
)
#: Pupils read at once: bounds the memory.
_BATCH = 20


def write_archive(
    stream: BinaryIO,
    student_ids: Sequence[int],
    letterhead: Letterhead,
    *,
    now: datetime,
    progress: Callable[[int], object] = lambda done: None,
) -> list[Passport]:
    """Render the passports of pupils into a ZIP one by one; return them without their content.

    `progress` is called with the number of passports done.
    """
    passports: list[Passport] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:  # a PDF is compressed already
        for batch in _batches(student_ids):
            for portfolio in queries.list_portfolios(queries.list_pupils(batch)):
                passport = render_passport(portfolio, letterhead, now=now)
                archive.writestr(f"{len(passports) + 1:03}-{passport.file_name}", passport.content)
                passports.append(replace(passport, content=b""))
                progress(len(passports))
    return passports


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
