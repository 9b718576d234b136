"""Reading a portfolio takes the same number of statements, whatever it contains."""

from __future__ import annotations

from sqlalchemy import event

from cpro.core import tenancy
from cpro.extensions import db
from cpro.passport import queries
from tests.passport.conftest import Class_, bilan, evaluation, fiche


def statements_for(class_: Class_) -> int:
    """Return how many statements read the portfolios of a division."""
    seen: list[str] = []
    with class_.app.app_context():
        tenancy.enter(tenancy.Scope(class_.world.school(class_.school_name).id))
        engine = db.engine

        def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            ids = queries.list_pupils_present(class_.division_id)
            for portfolio in queries.list_portfolios(queries.list_pupils(ids)):
                assert portfolio.student.division
                assert portfolio.student.division.diploma
        finally:
            event.remove(engine, "before_cursor_execute", note)
    return len([each for each in seen if each.startswith("SELECT") and "set_config" not in each])


class TestListPortfolios:
    def test_list_portfolios_are_read_in_a_known_number_of_statements(self, class_a: Class_) -> None:
        few = statements_for(class_a)
        for _ in range(8):
            pupil = class_a.add_pupil()
            class_a.add(fiche(pupil), fiche(pupil), bilan(pupil), *(evaluation(pupil) for _ in range(5)))

        assert statements_for(class_a) == few == 5

    def test_list_portfolios_hold_the_records_of_their_pupil_alone_oldest_first(
        self, class_a: Class_, class_b: Class_
    ) -> None:
        other = class_a.add_pupil()
        class_a.add(fiche(other, title="À l’autre"), *(evaluation(class_a.pupil_id) for _ in range(6)))

        with class_a.app.app_context():
            tenancy.enter(tenancy.Scope(class_a.world.a.id))
            found = queries.list_portfolios(queries.list_pupils([class_a.pupil_id, other, class_b.pupil_id]))

        assert {portfolio.student.id for portfolio in found} == {class_a.pupil_id, other}
        own = next(portfolio for portfolio in found if portfolio.student.id == class_a.pupil_id)
        assert own.entry_count == 10
        assert {each.student_id for each in (*own.fiches, *own.evaluations, *own.bilans)} == {class_a.pupil_id}
        days = [each.evaluated_on for each in own.evaluations]
        assert days == sorted(days)
