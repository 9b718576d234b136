"""The school whose lists are timed: its pages answer, and find as many as they are meant to."""

from __future__ import annotations

from flask import Flask

from bench.lists import ADMINISTRATOR, SCHOOL, cases, make_school
from tests.helpers.browser import Browser

PUPILS = 60
#: What pages show that are made to show little.
SHOWN = {
    "pupils, last page": 20,
    "pupils, from the middle": 20,
    "pupils, gone": 3,
    "pupils, filter that finds none": 0,
    "pupils, search of a rare word": 1,
    "pupils, search of a common word": 6,
    "pupils, search that finds none": 0,
    "pupils, search of an INE": 1,
    "users, search of a common word": 6,
    "journal, by person": 2,
    "journal, search of a word": 1,
}


def test_each_page_that_is_timed_answers_with_the_rows_it_is_about(app: Flask) -> None:
    with app.app_context():
        middle = make_school(PUPILS)
    browser, shown = Browser(app).mint_sign_in(SCHOOL, ADMINISTRATOR), {}

    for case in cases(PUPILS):
        page = browser.get(case.ours.format(middle=middle))
        assert page.status_code == 200, case.ours
        shown[case.name] = page.text.partition("<tbody")[2].count("<tr")

    assert {name: shown[name] for name in SHOWN} == SHOWN
