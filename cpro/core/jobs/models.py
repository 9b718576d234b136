"""The jobs: what was asked, by whom, how far it is, how it ended."""

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
    """Life of a job; values are what the database keeps."""

    WAITING = "waiting", "En attente"
    RUNNING = "running", "En cours"
    DONE = "done", "Terminé"
    FAILED = "failed", "Interrompu"
    CANCELLED = "cancelled", "Annulé"

    @property
    def is_finished(self) -> bool:
        """Return whether nothing more will happen."""
        return self not in (JobState.WAITING, JobState.RUNNING)


_WHEN_RUNNING = text("state_value = 'running'")


class Job(Owned, Model):
    """One piece of long work."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state", "state_value", "id"),
        # The database refuses two running jobs of one exclusive key, whatever the workers believe.
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
    #: the school it works in; empty for a job of the platform, which no school sees
    establishment_id: Mapped[int | None] = mapped_column(  # type: ignore[assignment]
        ForeignKey("establishment.id"), index=True
    )
    #: grammar subject:verb, e.g. imports:apply
    kind: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: who asked, as the journal names them: {kind, id, label, role, origin}
    requested_by: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[JobState] = mapped_column("state_value", EnumValue(JobState, 16), default=JobState.WAITING)
    #: "school:key" (or "platform:key"); at most one running job carries it
    exclusive_key: Mapped[str | None] = mapped_column(String(80))
    #: "kind@period" of a periodic job: once per period, whatever the number of workers
    period_key: Mapped[str | None] = mapped_column(String(100))
    progress_done: Mapped[int] = mapped_column(default=0)
    #: 0 while how much there is to do is unknown
    progress_total: Mapped[int] = mapped_column(default=0)
    #: what is being done, in French
    progress_message: Mapped[str] = mapped_column(String(200), default="")
    #: which take of which worker runs it: drawn anew at each take, so that a worker that was given up is told apart
    worker: Mapped[str | None] = mapped_column(String(100))
    #: past this instant, the worker is taken for dead
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: not to be taken before this instant; empty when there is nothing to wait for
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: how often it was taken and neither finished, nor postponed, nor handed back
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: start of the last attempt
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: a few figures for the report
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    #: why it failed, in one French sentence
    error: Mapped[str] = mapped_column(String(500), default="")

    @property
    def actor(self) -> Actor:
        """Return who asked for it."""
        return Actor(**self.requested_by)


class WorkerBeat(PlatformOnly, Model):
    """The last sign of life of a worker's process, busy or not."""

    __tablename__ = "worker_beat"

    #: host and number of the process
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
