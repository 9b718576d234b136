"""Workbooks of long lists: requested, prepared by a job, kept a few days for their requester, then deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from cpro.core.errors import NotFound
from cpro.core.formatting import format_instant
from cpro.core.jobs.files import KEPT, JobFiles, is_kept
from cpro.core.jobs.models import Job
from cpro.core.jobs.operations import enqueue
from cpro.core.permissions import Actor
from cpro.core.web.jobs import progress_url
from cpro.core.web.pages import page_address
from cpro.core.web.registry import registry

FILES = JobFiles(
    kind="workbooks:prepare",
    folder="workbooks",
    unknown="Ce classeur n’existe pas, ou n’est pas le vôtre.",
    gone="Ce classeur n’est plus conservé\u202f: demandez-le à nouveau depuis sa liste.",
)


@dataclass(frozen=True)
class Workbook:
    """A workbook as a page shows it: its rows, its URL, and its expiry; no expiry while it is being prepared."""

    label: str
    url: str
    until: str = ""


def request(endpoint: str, asked: Mapping[str, Any], *, by: Actor, now: datetime) -> Job:
    """Enqueue the job that prepares a workbook of a screen's list, or return the unfinished one of the same actor."""
    arguments = {"endpoint": endpoint, "asked": {name: str(value) for name, value in asked.items()}}
    for job in FILES.list_own(by=by):
        if not job.state.is_finished and job.arguments == arguments:
            return job
    return enqueue(FILES.kind, arguments, by=by, now=now)


def get_own(endpoint: str, job_id: int, *, by: Actor) -> Job:
    """Return the job of a workbook that this person requested of a screen. Raises `NotFound`."""
    job = FILES.get_own(job_id, by=by)
    if job.arguments["endpoint"] != endpoint:
        raise NotFound(FILES.unknown)
    return job


def list_own(endpoint: str, *, by: Actor, now: datetime) -> list[Job]:
    """List the jobs of a screen's workbooks that this person is waiting for, or can download."""
    jobs = [job for job in FILES.list_own(by=by) if job.arguments["endpoint"] == endpoint]
    return [job for job in jobs if not job.state.is_finished or is_kept(job, now=now)]


def describe(job: Job, label: str) -> Workbook:
    """Return a workbook as a page shows it."""
    if job.finished_at is None:
        return Workbook(label, progress_url(job.id, back=page_address()))
    until = format_instant(job.finished_at + KEPT, registry().timezone())
    return Workbook(label, url_for(f"{job.arguments['endpoint']}.workbook", job_id=job.id), until)
