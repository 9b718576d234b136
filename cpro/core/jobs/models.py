"""The model of jobs: the request, its author, its progress, its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cpro.core.permissions import Actor
from cpro.core.tenancy import Owned, PlatformOnly
from cpro.core.types import EnumValue, LabelledEnum, UTCDateTime
from cpro.extensions import Model


class JobState(LabelledEnum):
    """The states of a job; values are stored in the database."""

    WAITING = "waiting", "En attente"
    RUNNING = "running", "En cours"
    DONE = "done", "Terminé"
    FAILED = "failed", "Interrompu"
    CANCELLED = "cancelled", "Annulé"

    @property
    def is_finished(self) -> bool:
        """Return whether the job is over."""
        return self not in (JobState.WAITING, JobState.RUNNING)


_WHEN_RUNNING = text("state_value = 'running'")


class Job(Owned, Model):
    """A long-running task."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state", "state_value", "id"),
        # The database itself refuses two running jobs with the same exclusive key.
        Index(
            "uq_job_exclusive_running",
            "exclusive_key",
            unique=True,
            sqlite_where=_WHEN_RUNNING,
            postgresql_where=_WHEN_RUNNING,
        ),
        UniqueConstraint("period_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: the school it works in; NULL for a platform job, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("establishment.id"), index=True
    )
    #: grammar subject:verb, e.g. imports:apply
    kind: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: the actor, as recorded in the journal: {kind, id, label, role, origin}
    requested_by: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[JobState] = mapped_column("state_value", EnumValue(JobState, 16), default=JobState.WAITING)
    #: "school:key" (or "platform:key"); at most one running job has it
    exclusive_key: Mapped[str | None] = mapped_column(String(80))
    #: "kind@period" of a periodic job: once per period, whatever the number of workers
    period_key: Mapped[str | None] = mapped_column(String(100))
    progress_done: Mapped[int] = mapped_column(default=0)
    #: 0 while the total is unknown
    progress_total: Mapped[int] = mapped_column(default=0)
    #: the current step, in French
    progress_message: Mapped[str] = mapped_column(String(200), default="")
    #: which worker runs it, renewed at each take, so that a worker that lost the job is distinguished
    worker: Mapped[str | None] = mapped_column(String(100))
    #: after this instant, the worker is considered dead
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: not to be taken before this instant; NULL when there is nothing to wait for
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: how many times it was taken without being finished, postponed or handed back
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: start of the last attempt
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: a few figures for its summary
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    #: why it failed, in one French sentence
    error: Mapped[str] = mapped_column(String(500), default="")

    @property
    def actor(self) -> Actor:
        """Return the actor who requested it."""
        return Actor(**self.requested_by)


class WorkerBeat(PlatformOnly, Model):
    """The last heartbeat of a worker's process, busy or not."""

    __tablename__ = "worker_beat"

    #: host name and process id
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
