"""The console of the support: the error page of a code, how things went, and the line of the journal that says so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from cpro.audit import labels
from cpro.audit.models import AuditEntry
from cpro.core.clock import utcnow
from cpro.core.jobs.models import Job, JobState
from cpro.core.mail.models import MailMessage, MailState
from cpro.establishments.models import Establishment
from cpro.problems.models import Problem
from tests.factories import World, make_establishment, make_problem
from tests.helpers.browser import Browser
from tests.helpers.pages import Page, text_of
from tests.helpers.records import nothing_written

As = Callable[..., Browser]
Look = Callable[[], AbstractContextManager[Session]]
PROBLEMS = "/ecoles/problemes"


def make_failed(school_id: int | None, word: str) -> list[Job | MailMessage]:
    """Return a job that failed and a message that was refused, saying a word."""
    now = utcnow()
    return [
        Job(
            establishment_id=school_id,
            kind="imports:apply",
            arguments={},
            requested_by={},
            state=JobState.FAILED,
            error=f"Le fichier {word} est illisible.",
            created_at=now - timedelta(hours=3),
            finished_at=now - timedelta(hours=2),
        ),
        MailMessage(
            establishment_id=school_id,
            to="x@cpro.example",
            subject="Objet",
            sealed_body="",
            message_id=f"<{word}@cpro.example>",
            state=MailState.REFUSED,
            last_answer=f"boîte {word} pleine",
            created_at=now,
            settled_at=now,
        ),
    ]


class TestError:
    def test_error_of_a_code_is_found_and_the_search_is_written_in_the_journal_of_its_school(
        self, as_: As, world: World, platform: Look
    ) -> None:
        code = as_("teacher").get("/admin/").headers["X-Request-Id"]
        support = as_("support")

        page = Page(support.get("/ecoles/erreurs", query_string={"code": f"403 – {code.upper()}"}))

        assert "Lycée alpha" in page.text
        assert f"Enseignant (compte n° {world.a.account_ids['teacher']})" in page.text
        assert "/admin/ (page demandée)" in page.text
        assert "ce compte n’a pas ce droit (Forbidden dans le journal du serveur)" in page.text
        with platform() as session:
            line = session.scalars(select(AuditEntry).where(AuditEntry.action == "error:looked-up")).one()
        assert (line.establishment_id, line.object_id) == (world.a.id, code)
        assert labels.actor_name(line).endswith("(Support)")
        assert labels.role_name(line.actor_role) == "Support"

    @pytest.mark.parametrize("path", ["/nouveautes-zzz/", "/admin/nulle-part", "/eleves/99999999"])
    def test_error_of_an_address_that_has_no_page_says_the_path_without_what_follows(self, as_: As, path: str) -> None:
        code = as_("teacher").get(f"{path}?nom=secret").headers["X-Request-Id"]

        text = Page(as_("support").get("/ecoles/erreurs", query_string={"code": code})).text

        assert f"{path} (page demandée)" in text
        assert "secret" not in text

    @pytest.mark.parametrize("code", ["", "abcdef012345", "x" * 40, "%", "é"])
    def test_error_of_no_page_is_said_and_writes_nothing(self, as_: As, platform: Look, code: str) -> None:
        answer = as_("support").get("/ecoles/erreurs", query_string={"code": code})

        assert answer.status_code == 200
        assert ("Aucune page d’erreur ne porte ce code" in Page(answer).text) is bool(code)
        assert ("Écrivez le code que l’utilisateur lit" in Page(answer).text) is not bool(code)
        with platform() as session:
            assert session.scalars(select(AuditEntry).where(AuditEntry.action == "error:looked-up")).all() == []


class TestState:
    def test_state_of_the_school_entered_alone(self, as_: As, world: World, arrange: Look, platform: Look) -> None:
        with arrange() as session:
            session.add_all([*make_failed(world.a.id, "alpha"), *make_failed(world.b.id, "beta")])
        support = as_("support", enter="a")

        text = Page(support.get("/ecoles/support")).text

        assert "Le fichier alpha est illisible." in text
        assert "boîte alpha pleine" in text
        assert "(il y a 2 heures)" in text
        assert "beta" not in text
        with platform() as session:
            opened = select(AuditEntry).where(AuditEntry.object_type == "support_state")
            assert session.scalars(opened).one().establishment_id == world.a.id

    def test_state_of_all_schools_before_one_is_entered(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all([*make_failed(world.a.id, "alpha"), *make_failed(None, "central")])

        text = Page(as_("support").get("/ecoles/support")).text

        assert "Tous les établissements" in text
        assert "Le fichier central est illisible." in text
        assert "(il y a 2 heures)," not in text  # the central job failed in no school

    def test_state_of_all_schools_names_that_of_each_last_failure(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all(make_failed(world.b.id, "« •••.txt »"))
        support = as_("support")

        text = Page(support.get("/ecoles/support")).text

        assert text.count("Lycée beta") == 2  # the job and the message
        assert "Ce qui a été répondu : boîte « •••.txt » pleine" in text.replace("\u202f", " ").replace("\xa0", " ")
        assert "« «" not in text

    def test_state_of_nothing(self, as_: As, world: World) -> None:
        assert Page(as_("support", enter="a").get("/ecoles/support")).text.count("Aucun.") >= 2


class TestProblems:
    def test_problems_of_all_schools_are_listed_the_latest_first_without_a_name(
        self, as_: As, world: World, arrange: Look, platform: Look
    ) -> None:
        code = as_("teacher").get("/admin/").headers["X-Request-Id"]
        with arrange() as session:
            session.add(make_problem(world.a, text="Un <b>mot</b>\net un autre", number=code))
            session.flush()
            session.add(make_problem(world.b, role="head"))
            session.flush()
            session.add(make_problem(world.a, text="Celui-là est traité", handled_at=utcnow(), handled_by="Sacha S."))
        support = as_("support")

        page = Page(support.get(PROBLEMS))

        assert page.text.index("Problème n° 2") < page.text.index("Problème n° 1")
        assert "Un <b>mot</b>" in page.text and "Celui-là" not in page.text
        assert "Chef d’établissement" in page.text and "Lycée beta" in page.text
        assert "quartz" not in page.text.lower()
        assert "À traiter (2)" in page.text
        [look_up] = [link for link in page.links if "erreurs" in link]
        assert "/admin/ (page demandée)" in Page(support.get(look_up)).text
        handled = Page(support.get(f"{PROBLEMS}?etat=traites")).text
        assert "Celui-là est traité" in handled and ", par Sacha S." in handled
        for console in ("/ecoles", "/ecoles/support"):
            assert "Problèmes décrits (2 à traiter)" in Page(support.get(console)).text
        with platform() as session:
            opened = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "problem")).one()
        assert (opened.action, opened.establishment_id, opened.object_label) == (
            "record:opened",
            None,
            "Problèmes décrits",
        )

    def test_problems_of_the_school_entered_alone(self, as_: As, world: World, arrange: Look, platform: Look) -> None:
        with arrange() as session:
            session.add_all([make_problem(world.a), make_problem(world.b), make_problem(world.a, school_id=None)])
        support = as_("support", enter="a")

        text = Page(support.get(PROBLEMS)).text

        assert "Lycée alpha" in text and "beta" not in text and "À traiter (1)" in text
        with platform() as session:
            opened = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "problem")).one()
            [theirs] = session.scalars(select(Problem.id).where(Problem.school_id == world.b.id))
        assert opened.establishment_id == world.a.id
        for action in ("traiter", "rouvrir"):
            assert support.post(f"{PROBLEMS}/{theirs}/{action}").status_code == 404
            assert support.post(f"{PROBLEMS}/999999/{action}").status_code == 404
            assert support.post(f"{PROBLEMS}/{theirs}/{action}", token=False).status_code == 400

    def test_problems_are_paged(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.add_all([make_problem(world.a) for _each in range(25)])
        support = as_("support")

        first = Page(support.get(PROBLEMS))
        following = next(each.get("href") or "" for each in first.main.iter("a") if each.get("rel") == "next")
        second = Page(support.get(following))

        assert [text_of(each) for each in first.main.iter("h2")] == [f"Problème n° {each}" for each in range(25, 5, -1)]
        assert [text_of(each) for each in second.main.iter("h2")] == [f"Problème n° {each}" for each in range(5, 0, -1)]

    def test_problems_of_nobody(self, as_: As, world: World) -> None:
        assert "Aucun problème à traiter." in Page(as_("support").get(PROBLEMS)).text
        assert "chacun l’est trente jours" in Page(as_("support").get(f"{PROBLEMS}?etat=traites")).text

    @pytest.mark.parametrize("role", ["administrator", "head", "teacher", "student", "inspector"])
    def test_problems_are_refused_to_whoever_is_not_support(
        self, as_: As, app: Flask, world: World, arrange: Look, role: str
    ) -> None:
        with arrange() as session:
            session.add(make_problem(world.a))
        browser = as_(role)
        browser.get("/mon-compte")

        with nothing_written(app):
            answers = [
                browser.get(PROBLEMS),
                *(browser.post(f"{PROBLEMS}/1/{each}") for each in ("traiter", "rouvrir")),
            ]

        assert [each.status_code for each in answers] == [403] * 3
        assert "Rien ne va" not in answers[0].text


class TestHandle:
    def test_handle_is_journaled_told_to_the_writer_and_reopened(
        self, as_: As, app: Flask, world: World, platform: Look
    ) -> None:
        teacher, support = as_("teacher"), as_("support")
        teacher.post("/probleme", {"text": "Rien ne va."})
        page = f"http://localhost{PROBLEMS}?avant=9"

        done = support.post(f"{PROBLEMS}/1/traiter", headers={"Referer": page})

        assert (done.status_code, done.location) == (303, f"{PROBLEMS}?avant=9")
        assert "n° 1 est marqué comme traité" in Page(support.get(done.location)).flashes[0]
        with platform() as session:
            kept = session.scalars(select(Problem)).one()
            line = session.scalars(select(AuditEntry).where(AuditEntry.action == "problem:handled")).one()
        assert kept.handled_at is not None and kept.handled_by == line.actor_label
        assert line.establishment_id == world.a.id and labels.actor_name(line).endswith("(Support)")
        journal = Page(as_("head").get("/admin/journal/")).text
        assert "a marqué comme traité un problème décrit" in journal
        told = "L’équipe qui administre CPro a traité le problème que vous avez décrit, n° 1."
        assert told in Page(teacher.get("/nouveautes")).text
        assert told not in Page(as_("student").get("/nouveautes")).text
        assert told not in Page(as_("teacher", "b").get("/nouveautes")).text

        with nothing_written(app):
            assert support.post(f"{PROBLEMS}/1/traiter").location == PROBLEMS
        assert support.post(f"{PROBLEMS}/1/rouvrir").status_code == 303
        assert "a rouvert le problème que vous avez décrit" in Page(teacher.get("/nouveautes")).text
        assert Page(teacher.get("/probleme")).rows()[0][2] == "à traiter"


class TestSchools:
    def test_schools_are_found_by_academy_and_paged(self, as_: As, world: World, arrange: Look) -> None:
        with arrange() as session:
            session.get_one(Establishment, world.b.id).academy = "Nancy-Metz"
            for number in range(60):
                session.add(make_establishment(code=f"lycee{number}", uai=None, name=f"Lycée no {number:03}"))
        support = as_("support")

        of_academy = Page(support.get("/ecoles?academie=Nancy-Metz"))
        first = Page(support.get("/ecoles?recherche=lycee"))
        following = next(each.get("href") for each in first.main.iter("a") if each.get("rel") == "next")

        assert "Lycée beta" in of_academy.text
        assert "Lycée alpha" not in of_academy.text
        assert len([*first.main.iter("th")]) == 50 + 8
        assert "Lycée no 059" in Page(support.get(following or "")).text
        assert "Lycée alpha" in Page(support.get("/ecoles?academie=ailleurs")).text
