"""What is copied, of whom, and what a copy keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from cpro.audit.models import AuditEntry
from cpro.competences.models import Competence
from cpro.establishments.models import Establishment
from cpro.records.models import Bilan, Evaluation, Fiche, FicheState
from cpro.scenarios.models import Scenario
from cpro.students.models import Diploma
from cpro.transfers import matching
from cpro.transfers.models import TransferState
from cpro.transfers.verdicts import apply_verdicts
from tests.factories import NOW, World, make_diploma
from tests.helpers.transfers import Exchange, check_complete, check_soundness


def moved(exchange: Exchange, **destination: Any) -> tuple[int, int]:
    """Return a pupil of "a" who left with records, and the same one who joined "b"."""
    ine = exchange.ine()
    source = exchange.enrol("a", ine)
    exchange.fill("a", source)
    exchange.depart(source)
    return source, exchange.enrol("b", ine, **destination)


def sound(exchange: Exchange) -> None:
    with exchange.look() as session:
        check_soundness(session)
        check_complete(session)


class TestRun:
    def test_run_departed_there_and_present_here(self, exchange: Exchange) -> None:
        source, destination = moved(exchange)

        figures = exchange.run()

        assert exchange.records(destination) == exchange.records(source) != set()
        assert (figures.transfers, figures.records) == (1, 5)
        here, there = exchange.side("b"), exchange.side("a")
        assert (here.fiches, here.evaluations, here.bilans, here.state) == (2, 2, 1, TransferState.DONE)
        assert (there.fiches, there.evaluations, there.bilans, there.state) == (2, 2, 1, TransferState.DONE)
        assert (here.other_uai, there.other_uai) == ("0999001W", "0999002X")
        sound(exchange)

    @pytest.mark.parametrize("off", ["a", "b", "ab"])
    def test_run_not_unless_both_activated(self, exchange: Exchange, off: str) -> None:
        _source, destination = moved(exchange)
        for school in off:
            exchange.switch(school, on=False)

        exchange.run()

        assert exchange.records(destination) == set()
        assert exchange.states("a") == ([] if "a" in off else ["waiting_joined"])
        assert exchange.states("b") == ([] if "b" in off else ["waiting_left"])
        sound(exchange)

    def test_run_a_switch_on_lets_what_waited_through(self, exchange: Exchange) -> None:
        source, destination = moved(exchange)
        exchange.switch("a", on=False)
        exchange.run()
        exchange.switch("a", on=True)

        exchange.run("a")

        assert exchange.records(destination) == exchange.records(source)
        assert exchange.states("a") == exchange.states("b") == ["done"]
        sound(exchange)

    def test_run_a_switch_off_stops_new_copies_and_keeps_what_was_copied(self, exchange: Exchange) -> None:
        _source, destination = moved(exchange)
        exchange.run()
        kept = exchange.records(destination)
        _other, later = moved(exchange)
        exchange.switch("a", on=False)

        exchange.run()

        assert exchange.records(destination) == kept != set()
        assert exchange.records(later) == set()
        assert exchange.states("a") == ["done"]
        assert exchange.states("b") == ["done", "waiting_left"]

    def test_run_both_off_leaves_nothing_waiting(self, exchange: Exchange) -> None:
        moved(exchange)
        exchange.switch("a", on=False)
        exchange.run()
        exchange.switch("b", on=False)

        exchange.run()

        assert exchange.sides("a") == exchange.sides("b") == []

    def test_run_without_ine_nothing_matches(self, exchange: Exchange) -> None:
        source = exchange.enrol("a", None)
        exchange.fill("a", source)
        exchange.depart(source)
        destination = exchange.enrol("b", None)

        exchange.run()

        assert exchange.records(destination) == set()
        assert exchange.sides("b") == []

    def test_run_other_pupils_receive_nothing(self, exchange: Exchange) -> None:
        _source, _destination = moved(exchange)
        stranger, elsewhere = exchange.enrol("b", exchange.ine()), exchange.enrol("c", exchange.ine())

        exchange.run()

        assert exchange.records(stranger) == exchange.records(elsewhere) == set()
        assert exchange.sides("c") == []

    def test_run_a_run_of_a_school_looks_at_its_own_pupils(self, exchange: Exchange) -> None:
        _source, destination = moved(exchange)

        assert exchange.run("c").pairs == 0
        assert exchange.records(destination) == set()
        assert exchange.run("b").transfers == 1

    def test_run_nothing_is_left_to_do(self, exchange: Exchange) -> None:
        moved(exchange)
        exchange.run()

        again = exchange.run()

        assert (again.pairs, again.transfers, again.records, again.changed) == (0, 0, 0, 0)


class TestCopyRecords:
    def test_copy_records_its_origin_and_not_its_links(self, exchange: Exchange, world: World) -> None:
        source, destination = moved(exchange)
        teacher = world.a.account_ids["teacher"]
        with exchange.write() as session:
            diploma = session.scalars(select(Diploma)).one()
            scenario = Scenario(
                establishment_id=world.a.id,
                diploma_id=diploma.id,
                title="Rénover une salle",
                is_co_intervention=False,
                author_id=teacher,
                created_at=NOW,
                changed_at=NOW,
            )
            session.add(scenario)
            session.flush()
            mark = exchange.evaluation(
                "a", source, author_id=teacher, scenario_id=scenario.id, scenario_title="Rénover une salle"
            )
            session.add(mark)
            session.flush()
            uid, scenario_id = mark.origin_uid, scenario.id

        exchange.run()

        with exchange.look() as session:
            copy = session.scalars(
                select(Evaluation).where(Evaluation.origin_uid == uid, Evaluation.student_id == destination)
            ).one()
            assert (copy.author_id, copy.scenario_id) == (None, None)
            assert (copy.author_label, copy.scenario_title) == ("Inès QUARTZ", "Rénover une salle")
            assert copy.origin_school == "Lycée alpha (0999001W)"
            assert copy.received_in == exchange.side("b").id
            original = session.scalars(
                select(Evaluation).where(Evaluation.origin_uid == uid, Evaluation.student_id == source)
            ).one()
            assert (original.scenario_id, original.received_in, original.origin_school) == (scenario_id, None, "")

    def test_copy_records_fiches_not_validated_stay(self, exchange: Exchange) -> None:
        source, destination = moved(exchange)
        draft = exchange.fiche("a", source, state=FicheState.DRAFT, validated_at=None)
        submitted = exchange.fiche("a", source, state=FicheState.SUBMITTED, validated_at=None)
        exchange.add(draft, submitted)
        exchange.add(exchange.evaluation("a", source, fiche_uid=submitted.origin_uid))

        exchange.run()

        assert exchange.records(source) - exchange.records(destination) == {draft.origin_uid, submitted.origin_uid}
        assert (exchange.side("a").left_out, exchange.side("b").left_out) == (2, 0)
        with exchange.look() as session:
            named = session.scalars(select(Evaluation.fiche_uid).where(Evaluation.student_id == destination)).all()
        assert submitted.origin_uid not in named
        assert len([uid for uid in named if uid]) == 2

    def test_copy_records_a_national_competence_is_kept_and_an_own_one_found_by_its_code(
        self, exchange: Exchange, world: World
    ) -> None:
        source, destination = moved(exchange)
        with exchange.write() as session:
            national = session.scalars(select(Diploma)).one()
            shared = Competence(diploma_id=national.id, code="C1", label="Analyser", position=1)
            session.add(shared)
            own = {}
            for school in ("a", "b"):
                diploma = make_diploma(code="MAISON", establishment_id=exchange.ids[school])
                session.add(diploma)
                session.flush()
                own[school] = Competence(
                    diploma_id=diploma.id,
                    code="M1",
                    label="Souder",
                    position=1,
                    establishment_id=exchange.ids[school],
                )
                session.add(own[school])
            other = Competence(
                diploma_id=own["a"].diploma_id, code="M2", label="Limer", position=2, establishment_id=world.a.id
            )
            session.add(other)
            session.flush()
            ids = {"C1": shared.id, "M1": own["b"].id, "M2": None}
            for competence, diploma_code in ((shared, "40025520"), (own["a"], "MAISON"), (other, "MAISON")):
                session.add(
                    exchange.evaluation(
                        "a",
                        source,
                        competence_id=competence.id,
                        competence_code=competence.code,
                        diploma_code=diploma_code,
                        evaluated_on=NOW.date(),
                    )
                )
        exchange.run()

        with exchange.look() as session:
            found = dict(
                session.execute(
                    select(Evaluation.competence_code, Evaluation.competence_id).where(
                        Evaluation.student_id == destination, Evaluation.evaluated_on == NOW.date()
                    )
                ).all()
            )
        assert found == ids

    def test_copy_records_the_source_school_is_untouched(self, exchange: Exchange) -> None:
        source, _destination = moved(exchange)
        with exchange.look() as session:
            before = [_columns(row) for kind in (Fiche, Bilan, Evaluation) for row in session.scalars(select(kind))]

        exchange.run()

        with exchange.look() as session:
            after = [
                _columns(row)
                for kind in (Fiche, Bilan, Evaluation)
                for row in session.scalars(select(kind).where(kind.student_id == source))
            ]
        assert after == before


class TestApplyVerdicts:
    def test_apply_verdicts_both_journals_record_figures(self, exchange: Exchange) -> None:
        moved(exchange)
        moved(exchange)

        exchange.run()

        with exchange.look() as session:
            lines = {
                (entry.establishment_id, entry.action): entry
                for entry in session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("transfer:")))
            }
        assert set(lines) == {(exchange.ids["b"], "transfer:received"), (exchange.ids["a"], "transfer:sent")}
        for entry in lines.values():
            assert entry.changes == {
                "pupils": [None, 2],
                "fiches": [None, 4],
                "bilans": [None, 2],
                "evaluations": [None, 4],
            }
            assert "Topaze" not in f"{entry.object_label}{entry.changes}"

    def test_apply_verdicts_the_uai_of_both_is_locked(self, exchange: Exchange) -> None:
        moved(exchange)

        exchange.run()

        with exchange.look() as session:
            locked = {id_: at for id_, at in session.execute(select(Establishment.id, Establishment.uai_locked_at))}
        assert locked[exchange.ids["a"]] == locked[exchange.ids["b"]] == exchange.now
        assert locked[exchange.ids["c"]] is None

    def test_apply_verdicts_both_heads_are_notified_of_the_first_transfer_only(
        self, exchange: Exchange, mails: Callable[[], list[tuple[str, str]]]
    ) -> None:
        moved(exchange)
        exchange.run()

        (to_a, text), (to_b, _text) = mails()
        assert (to_a, to_b) == ("claude.basalte@alpha.example", "claude.basalte@beta.example")
        assert "Lycée beta (0999002X)" in text
        assert "Topaze" not in text

        moved(exchange)
        exchange.run()

        assert len(mails()) == 2


def _columns(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.key, None) for column in row.__table__.columns}


def test_apply_verdicts_stops_when_transfers_are_switched_off(exchange: Exchange) -> None:
    """What a run found before the switch is judged again under the lock, and not copied."""
    source, destination = moved(exchange)
    with exchange.look() as session:
        pairs = matching.find_pairs(session)
    assert [pair.destination_student_id for pair in pairs] == [destination]
    exchange.switch("a", on=False)

    with exchange.write() as session:
        applied = apply_verdicts(session, pairs, now=NOW)

    assert applied.copied == 0
    assert exchange.records(destination) == set()
    assert len(exchange.records(source)) == 5
    assert exchange.states("b") == ["waiting_left"]
