"""Sentences about a job that gives no sign of life, before its lease has run out.

A killed worker's job comes back by itself, after its lease and the next round of housekeeping: the page says
so at once, and that nothing is lost, instead of « en cours ».
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import floor

from cpro.core.formatting import plural
from cpro.core.jobs.models import Job, JobState

#: Handlers give a sign each second or so, but while they write: that lasts longer for very large imports only.
SILENT_AFTER = timedelta(seconds=45)
#: The round that takes jobs back comes each minute; beyond the second, no worker makes any.
_ROUNDS = timedelta(minutes=2)
_SAFE = "Rien n’est perdu, et rien ne reste écrit à moitié."


def describe_interruption(job: Job, now: datetime) -> str:
    """Return the sentence about a job that was, or seems, interrupted; "" for one that goes well."""
    if job.state is JobState.WAITING and job.attempts:
        return f"Le traitement s’est interrompu avant la fin ; il va reprendre de lui-même. {_SAFE}"
    if job.state is not JobState.RUNNING or job.heartbeat_at is None or job.lease_until is None:
        return ""
    silence = now - job.heartbeat_at
    if silence < SILENT_AFTER:
        return ""
    silent = f"Aucun signe de vie depuis {describe_length(silence)} : le traitement semble interrompu."
    if now > job.lease_until + _ROUNDS:
        return (
            f"{silent} Il reprendra de lui-même dès que le service des traitements sera de nouveau en marche ; si cela "
            f"dure, prévenez l’équipe qui administre la plateforme. {_SAFE}"
        )
    minutes = max(0, -((now - job.lease_until) // timedelta(minutes=1))) + 1
    return f"{silent} S’il l’est, il reprendra de lui-même d’ici {plural(minutes, 'minute', 'minutes')}. {_SAFE}"


def describe_length(length: timedelta) -> str:
    """Return a length of time in whole seconds or minutes: « 50 secondes », « 3 minutes »."""
    seconds = floor(length.total_seconds())
    if seconds < 120:
        return plural(seconds, "seconde", "secondes")
    return plural(seconds // 60, "minute", "minutes")
