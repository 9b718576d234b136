"""The tab Logo: what is refused and why, what is stored, who may see it, undoing."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cpro.core import clock
from cpro.establishments.models import PictureVersion
from tests.factories import World
from tests.helpers import pictures
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.helpers.records import failing_journal, nothing_written, rows, watching
from tests.helpers.uploads import LOGO_TAB as URL
from tests.helpers.uploads import fetch, shown, stored_files, sweep, undo, unmount, upload

IMAGE = f"{URL}/image/"
KINDS = ("logo", "cachet")
As = Callable[..., Browser]


#: the bytes, the name they travel under, what the sentence must say.
REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "HTML named .png": (lambda: b"<html><script>alert(1)</script>", "photo.png", "n’est pas une image PNG, JPEG"),
    "truncated JPEG": (lambda: pictures.jpeg(400, 300)[:-900], "photo.jpg", "abîmée ou tronquée"),
    "20 bytes": (lambda: pictures.png()[:20], "photo.png", "abîmée ou tronquée"),
    "20 bytes of nothing": (lambda: bytes(20), "photo.png", "n’est pas une image"),
    "30 000 × 30 000 PNG": (pictures.png_bomb, "bombe.png", "30 000 × 30 000 pixels, soit 900 mégapixels"),
    "SVG": (pictures.svg, "logo.svg", "au format SVG"),
    "SVG named .png": (pictures.svg, "logo.png", "au format SVG"),
    "PDF": (pictures.pdf, "logo.png", "un document PDF"),
    "6 MB": (lambda: pictures.noise(6 * 1024 * 1024), "grand.png", "la limite est de 5 Mo"),
    "empty file": (lambda: b"", "vide.png", "Ce fichier est vide"),
}
ACCEPTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "PNG": (pictures.png, "logo.png"),
    "PNG named .jpg": (pictures.png, "logo.jpg"),
    "picture named .html": (pictures.png, "../../logo.html"),
    "picture without a name": (pictures.jpeg, "\u202e"),
    "JPEG": (pictures.jpeg, "logo.jpeg"),
    "CMYK JPEG": (
        lambda: pictures.encoded(
            pictures.two_halves(mode="CMYK", left=(0, 255, 255, 0), right=(255, 255, 0, 0)), "JPEG"
        ),
        "logo.jpg",
    ),
    "animated GIF": (lambda: pictures.animated("GIF"), "logo.gif"),
    "WebP": (pictures.webp, "logo.webp"),
}


class TestUploadPicture:
    @pytest.mark.parametrize("case", REFUSED)
    def test_upload_picture_a_refused_file_is_explained_and_nothing_is_written(
        self, app: Flask, as_: As, case: str
    ) -> None:
        make, name, sentence = REFUSED[case]
        browser = as_("administrator")

        with nothing_written(app):
            answer = upload(browser, make(), name=name)

        assert answer.status_code == 422
        assert sentence in Page(answer).error("file-logo")
        assert Page(answer).error("file-cachet") == ""
        assert stored_files(app) == []

    def test_upload_picture_beyond_what_is_read_at_all_the_page_is_french(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = upload(browser, pictures.noise(11 * 1024 * 1024))

        assert answer.status_code == 413
        assert "Une image pèse au plus 5 Mo" in Page(answer).text

    def test_upload_picture_without_the_disk_of_the_store_is_refused_and_nothing_fills_its_place(
        self, app: Flask, as_: As
    ) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png())
        store = unmount(app)

        with nothing_written(app):
            answer = upload(browser, pictures.jpeg())

        assert answer.status_code == 503
        assert "le dossier des fichiers n’est pas là" in Page(answer).text
        assert fetch(browser).status_code == 503
        assert list(store.iterdir()) == []

    @pytest.mark.parametrize(
        "data",
        [{}, {"file": "logo.png"}, {"file": (io.BytesIO(b""), "")}],
        ids=["no field", "a text", "no file chosen"],
    )
    def test_upload_picture_without_a_file_one_is_asked_for(self, app: Flask, as_: As, data: dict[str, Any]) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answer = browser.post(f"{URL}/televerser/cachet", data, content_type="multipart/form-data")

        assert answer.status_code == 422
        assert "Choisissez d’abord une image" in Page(answer).error("file-cachet")

    @pytest.mark.parametrize("case", ACCEPTED)
    def test_upload_picture_a_picture_is_judged_by_its_content(
        self, app: Flask, as_: As, world: World, case: str
    ) -> None:
        make, name = ACCEPTED[case]
        browser = as_("administrator")

        with watching(app) as watch:
            answer = upload(browser, make(), name=name)

        assert answer.status_code == 303
        assert watch.changed == {"picture_version", "audit_entry"}
        assert watch.line["action"] == "picture:logo:deposited"
        assert shown(browser) == (64, 32)
        (file,) = stored_files(app)
        assert file.is_relative_to(Path(app.config["CPRO_UPLOADS"]) / str(world.a.id))

    def test_upload_picture_a_script_hidden_in_a_comment_is_not_stored(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        upload(browser, pictures.with_jpeg_segment(pictures.jpeg(), 0xFE, pictures.SCRIPT))

        assert pictures.SCRIPT not in fetch(browser).data
        assert pictures.SCRIPT not in stored_files(app)[0].read_bytes()

    def test_upload_picture_a_picture_of_few_pixels_is_warned_about(self, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(64, 32))
        upload(browser, pictures.png(1200, 600), "cachet")

        assert Page(browser.get(URL)).text.count("compte peu de pixels") == 1

    def test_upload_picture_without_its_journal_line_it_leaves_nothing_a_sweep_does_not_remove(
        self, app: Flask, as_: As
    ) -> None:
        browser = as_("administrator")

        with nothing_written(app), failing_journal(), pytest.raises(RuntimeError):
            upload(browser, pictures.png())

        assert len(stored_files(app)) == 1
        sweep(app, clock.utcnow() + timedelta(minutes=50))
        assert len(stored_files(app)) == 1
        sweep(app, clock.utcnow() + timedelta(minutes=70))
        assert stored_files(app) == []


class TestPictureImages:
    def test_picture_images_each_school_sees_its_own_only(self, as_: As, world: World) -> None:
        a, b = as_("administrator"), as_("administrator", "b")
        upload(a, pictures.png(64, 32))
        upload(a, pictures.png(60, 60), "cachet")

        assert shown(b) is shown(b, "cachet") is None
        upload(b, pictures.png(20, 10))
        assert (shown(a), shown(b)) == ((64, 32), (20, 10))

    def test_picture_images_support_sees_the_logo_not_the_stamp(self, app: Flask, as_: As) -> None:
        administrator = as_("administrator")
        upload(administrator, pictures.png())
        upload(administrator, pictures.png(), "cachet")
        support = as_("support", enter="a")

        assert shown(support) == (64, 32)
        assert fetch(support, "cachet").status_code == 403
        assert "/image/cachet" not in support.get(URL).text
        with nothing_written(app):
            assert upload(support, pictures.png()).status_code == 403
            assert support.post(f"{URL}/supprimer/logo").status_code == 403
            assert support.post(f"{URL}/annuler/logo").status_code == 403

    @pytest.mark.parametrize("role", ["teacher", "student"])
    def test_picture_images_teachers_and_pupils_do_not(self, as_: As, role: str) -> None:
        upload(as_("administrator"), pictures.png())
        browser = as_(role)

        assert [fetch(browser, kind).status_code for kind in ("logo", "cachet")] == [403, 403]

    def test_picture_images_signed_out_one_is_led_to_the_sign_in_page(
        self, as_: As, browser: Callable[[], Browser]
    ) -> None:
        upload(as_("administrator"), pictures.png())

        answer = fetch(browser())

        assert answer.status_code == 303
        assert answer.location.startswith("/connexion")

    def test_picture_images_no_address_serves_the_store(self, app: Flask, as_: As, world: World) -> None:
        administrator = as_("administrator")
        upload(administrator, pictures.png())
        stored = rows(app, PictureVersion)[0]["stored_name"]

        for path in (
            f"/uploads/{stored}",
            f"/static/uploads/{stored}",
            f"/static/../uploads/{stored}",
            f"/static/..%2fuploads/{stored}",
            f"/static/%2e%2e/uploads/{stored}",
            f"/admin/static/../../uploads/{stored}",
            f"{IMAGE}{stored}",
            f"{IMAGE}../{stored}",
        ):
            assert administrator.get(path).status_code == 404, path

    def test_picture_images_headers_keep_it_private_and_what_it_says_it_is(self, as_: As) -> None:
        browser = as_("head")
        upload(browser, pictures.jpeg(), "cachet")

        answer = fetch(browser, "cachet")

        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer.headers["Cache-Control"]
        assert "public" not in answer.headers["Cache-Control"]

    def test_picture_images_it_is_sent_again_only_when_it_changed(self, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(64, 32))
        etag = fetch(browser).headers["ETag"]

        unchanged = fetch(browser, headers={"If-None-Match": etag})
        upload(browser, pictures.png(20, 20))
        changed = fetch(browser, headers={"If-None-Match": etag})

        assert (unchanged.status_code, unchanged.data) == (304, b"")
        assert "private" in unchanged.headers["Cache-Control"]
        assert changed.status_code == 200

    @pytest.mark.parametrize("path", ["televerser/tampon", "supprimer/1", "annuler/autre", "image/autre"])
    def test_picture_images_there_are_two_pictures_only(self, as_: As, path: str) -> None:
        browser = as_("administrator")

        assert browser.get(f"{URL}/{path}").status_code == 404
        assert browser.post(f"{URL}/{path}").status_code == 404


class TestRemoveAndUndoPicture:
    def test_remove_picture_asks_first(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png())

        with nothing_written(app):
            answer = browser.get(f"{URL}/supprimer/logo")

        assert answer.status_code == 200
        assert "Supprimer le logo ?" in Page(answer).text
        assert shown(browser) == (64, 32)

    def test_remove_picture_reports_what_is_not_there(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")

        with nothing_written(app):
            answers = [browser.get(f"{URL}/supprimer/logo"), browser.post(f"{URL}/supprimer/logo")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert "Il n’y a pas de logo à supprimer" in Page(answers[1]).text

    def test_remove_picture_hides_it_and_undoing_restores_it(self, app: Flask, as_: As) -> None:
        browser = as_("head")
        upload(browser, pictures.png(), "cachet")

        with watching(app) as watch:
            assert browser.post(f"{URL}/supprimer/cachet").status_code == 303
        assert watch.line["action"] == "picture:cachet:deleted"
        assert shown(browser, "cachet") is None
        assert "Aucun cachet n’a été déposé" in Page(browser.get(URL)).text

        with watching(app) as watch:
            assert undo(browser, "cachet").status_code == 303
        assert watch.line["action"] == "picture:cachet:undone"
        assert shown(browser, "cachet") == (64, 32)

    def test_undo_picture_change_walks_back_one_change_at_a_time(self, app: Flask, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        upload(browser, pictures.png(20, 20))
        browser.post(f"{URL}/supprimer/logo")
        seen = []

        for _ in range(3):
            undo(browser)
            seen.append(shown(browser))

        assert seen == [(20, 20), (10, 10), None]
        with nothing_written(app):
            answer = undo(browser)
        assert answer.status_code == 422
        assert "Il n’y a plus rien à annuler" in Page(answer).alerts[0]

    def test_undo_picture_change_its_button_names_what_it_does(self, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10), "cachet")
        assert "Annuler le dépôt : il n’y aura plus aucun cachet" in Page(browser.get(URL)).text

        upload(browser, pictures.png(20, 20), "cachet")
        assert "Annuler : revenir à l’image du " in Page(browser.get(URL)).text

        browser.post(f"{URL}/supprimer/cachet")
        assert "Annuler la suppression : revenir à l’image du " in Page(browser.get(URL)).text

        for left in ("l’image du ", "l’image du ", "Il n’y a plus aucun cachet"):
            undo(browser, "cachet")
            page = Page(browser.get(URL))
            assert left in page.flashes[0]
            assert "/admin/parametres/historique?de=logo" in page.links

    def test_undo_picture_change_of_one_leaves_the_other(self, as_: As) -> None:
        browser = as_("administrator")
        upload(browser, pictures.png(10, 10))
        upload(browser, pictures.png(20, 20), "cachet")

        undo(browser, "cachet")

        assert (shown(browser), shown(browser, "cachet")) == ((10, 10), None)

    def test_undo_picture_change_never_reaches_the_other_school(self, app: Flask, as_: As) -> None:
        upload(as_("administrator"), pictures.png())
        other = as_("administrator", "b")

        with nothing_written(app):
            assert undo(other).status_code == 422
