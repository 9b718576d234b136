"""A scenario, its authors, its links and the competences it works on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cpro.competences.models import Competence
from cpro.core.tenancy import DiplomaScoped, Owned, key_within_school
from cpro.core.types import UTCDateTime
from cpro.extensions import Model
from cpro.students.models import Diploma
from cpro.users.models import Account


class Scenario(Owned, DiplomaScoped, Model):
    """A teacher's training situation for one diploma."""

    __tablename__ = "scenario"
    __table_args__ = (
        UniqueConstraint("establishment_id", "id"),
        key_within_school("author_id", "account", name="fk_scenario_author"),
        Index("ix_scenario_establishment_id_changed_at", "establishment_id", "changed_at", "id"),
        Index("ix_scenario_establishment_id_search_key", "establishment_id", "search_key", "id"),
        {"sqlite_autoincrement": True},  # the journal refers to it by its id
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    diploma_id: Mapped[int] = mapped_column(ForeignKey("diploma.id"), index=True)
    title: Mapped[str] = mapped_column(String(150))
    #: taught by two teachers together, general and vocational
    is_co_intervention: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[int] = mapped_column(index=True)
    #: safe rich text, as the others of `RICH_TEXT` in `MaskKey`; the worded field `links` is the list of links
    description: Mapped[str] = mapped_column(Text, default="")
    problematic: Mapped[str] = mapped_column(Text, default="")
    equipment: Mapped[str] = mapped_column(Text, default="")
    resources: Mapped[str] = mapped_column(Text, default="")
    knowledge: Mapped[str] = mapped_column(Text, default="")
    #: the title, folded: for sorting and searching
    search_key: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: empty for a scenario in use
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    diploma: Mapped[Diploma] = relationship(lazy="raise")
    author: Mapped[Account] = relationship(
        lazy="raise", foreign_keys="[Scenario.establishment_id, Scenario.author_id]", viewonly=True
    )
    links: Mapped[list[ScenarioLink]] = relationship(lazy="raise", order_by="ScenarioLink.position", viewonly=True)

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of the scenarios written for these diplomas."""
        return cls.diploma_id.in_(diploma_ids)


class ScenarioCoAuthor(Owned, DiplomaScoped, Model):
    """A colleague who may change a scenario like its author."""

    __tablename__ = "scenario_co_author"
    __table_args__ = (
        UniqueConstraint("establishment_id", "scenario_id", "account_id", name="uq_scenario_co_author"),
        key_within_school("scenario_id", "scenario", name="fk_scenario_co_author_scenario", ondelete="CASCADE"),
        key_within_school("account_id", "account", name="fk_scenario_co_author_account"),
        Index("ix_scenario_co_author_account", "establishment_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    scenario_id: Mapped[int]
    account_id: Mapped[int]

    account: Mapped[Account] = relationship(
        lazy="raise", foreign_keys="[ScenarioCoAuthor.establishment_id, ScenarioCoAuthor.account_id]", viewonly=True
    )

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of what belongs to the scenarios of these diplomas."""
        return _of_scenarios(cls.scenario_id, diploma_ids)


class ScenarioLink(Owned, DiplomaScoped, Model):
    """A link attached to a scenario."""

    __tablename__ = "scenario_link"
    __table_args__ = (
        key_within_school("scenario_id", "scenario", name="fk_scenario_link_scenario", ondelete="CASCADE"),
        Index("ix_scenario_link_scenario", "establishment_id", "scenario_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    scenario_id: Mapped[int]
    #: displayed text; the address itself when empty
    label: Mapped[str] = mapped_column(String(150), default="")
    #: http or https
    url: Mapped[str] = mapped_column(String(500))
    position: Mapped[int]

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of what belongs to the scenarios of these diplomas."""
        return _of_scenarios(cls.scenario_id, diploma_ids)


class ScenarioCompetence(Owned, DiplomaScoped, Model):
    """A scenario works on a competence of its diploma."""

    __tablename__ = "scenario_competence"
    __table_args__ = (
        UniqueConstraint("establishment_id", "scenario_id", "competence_id", name="uq_scenario_competence"),
        key_within_school("scenario_id", "scenario", name="fk_scenario_competence_scenario", ondelete="CASCADE"),
        Index("ix_scenario_competence_competence_id", "competence_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    establishment_id: Mapped[int] = mapped_column(ForeignKey("establishment.id"))
    scenario_id: Mapped[int]
    competence_id: Mapped[int] = mapped_column(ForeignKey("competence.id"))

    competence: Mapped[Competence] = relationship(lazy="raise")

    @classmethod
    def is_within(cls, diploma_ids: Collection[int]) -> ColumnElement[bool]:
        """Return the condition of what belongs to the scenarios of these diplomas."""
        return _of_scenarios(cls.scenario_id, diploma_ids)


def _of_scenarios(scenario_id: Mapped[int], diploma_ids: Collection[int]) -> ColumnElement[bool]:
    return scenario_id.in_(select(Scenario.id).where(Scenario.is_within(diploma_ids)).correlate(None))
