"""One response of each kind, and what all of them must have."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.test import TestResponse

from tests.helpers.browser import Browser

PARTICULARS = "/admin/parametres/etablissement"
BIG = 11 * 1024 * 1024


def no_token(browser: Browser) -> TestResponse:
    return browser.post(PARTICULARS, {"name": "x"}, token=False)


def too_big(browser: Browser) -> TestResponse:
    path = "/admin/parametres/logo/televerser/logo"
    return browser.client.post(path, data=b"x" * BIG, content_type="multipart/form-data; boundary=x")


#: One response of each kind, for an administrator of school A.
ANSWERS: dict[str, tuple[int, Callable[[Browser], TestResponse]]] = {
    "page": (200, lambda b: b.get(PARTICULARS)),
    "sent elsewhere": (303, lambda b: b.get("/")),
    "without token": (400, no_token),
    "refused right": (403, lambda b: b.get("/ecoles")),
    "not found": (404, lambda b: b.get("/admin/nulle-part/x")),
    "not found by a rule": (404, lambda b: b.get("/aide/inconnue")),
    "wrong method": (405, lambda b: b.post("/ecoles")),
    "too big": (413, too_big),
    "refused form": (422, lambda b: b.post(PARTICULARS, {"uai": "0940321S"})),
}
ERRORS = {name for name, (status, _) in ANSWERS.items() if status in (400, 403, 404, 405, 413)}


def policy_of(answer: TestResponse) -> str:
    return answer.headers["Content-Security-Policy"]


def assert_protected(answer: TestResponse) -> None:
    directives = {part.split()[0]: part.split()[1:] for part in policy_of(answer).split("; ")}
    assert directives["default-src"] == ["'none'"]
    assert directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
    assert directives["form-action"] == ["'self'"]
    for directive, sources in directives.items():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(sources), directive
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def assert_french_page(page: str, status: int) -> None:
    assert page.lower().startswith("<!doctype html>")
    assert '<html lang="fr">' in page
    assert f"Code à citer si vous demandez de l’aide : {status}" in page.replace("\u202f", " ").replace("\xa0", " ")
    for english in ("Traceback", "werkzeug", "Not Found", "Forbidden", "Bad Request", "Method Not Allowed", "Error"):
        assert english not in page
