"""The PDF of a passport: accessible, complete, whatever the data."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from cpro.core.documents import render_pages
from cpro.establishments.imaging import prepare_picture
from cpro.establishments.models import PictureKind
from cpro.passport.letterhead import Letterhead, Picture
from cpro.passport.pdf import TEMPLATE, Passport, build_pdf_data, render_passport
from cpro.passport.queries import Portfolio
from cpro.records.models import Place
from cpro.students.models import Diploma, Division, Student
from tests.factories import NOW
from tests.helpers import pictures
from tests.helpers.pdf import elements
from tests.passport.conftest import bilan, evaluation, fiche, needs_pdftotext

pytestmark = pytest.mark.integration

Read = Callable[[bytes], str]


def student(**values: Any) -> Student:
    found = Student(
        **{
            "id": 1,
            "last_name": "Agate",
            "first_name": "Noé",
            "usage_name": "",
            "birth_date": date(2009, 1, 31),
            "ine": "0123456789A",
            "is_active": True,
            **values,
        }
    )
    found.division = Division(code="TMELEC", label="Terminale MELEC")
    found.division.diploma = Diploma(code="40025520", label="Métiers de l’électricité", short_label="Bac pro MELEC")
    return found


def portfolio(
    fiches: Sequence[Any] = (), evaluations: Sequence[Any] = (), bilans: Sequence[Any] = (), **values: Any
) -> Portfolio:
    return Portfolio(student(**values), fiches, sorted(evaluations, key=lambda each: each.evaluated_on), bilans)


def ordinary() -> Portfolio:
    return portfolio([fiche(), fiche()], [evaluation(level=each) for each in (1, 2, 3, 4)], [bilan()])


def placed(content: bytes, kind: PictureKind) -> Picture:
    """Return a picture as the Logo tab stores it and a passport prints it."""
    prepared = prepare_picture(content)
    width, height = kind.print_box_mm
    scale = min(width / prepared.width, height / prepared.height)
    return Picture(f"{kind.value}{prepared.suffix}", prepared.content, prepared.width * scale, prepared.height * scale)


def letterhead(**values: Any) -> Letterhead:
    return Letterhead(
        **{
            "name": "Lycée d’essai",
            "uai": "0999001W",
            "email": "contact@essai.example",
            "address": ("1 rue des Essais", "95000 Exempleville"),
            "city": "Exempleville",
            "timezone": "Europe/Paris",
            "signatory_name": "Claude BASALTE",
            "signatory_function": "Proviseure",
            "check_url": "https://cpro.example/verifier",
            "logo": placed(pictures.png(400, 200), PictureKind.LOGO),
            "stamp": placed(pictures.transparent_png(300, 200), PictureKind.STAMP),
            **values,
        }
    )


def render(content: Portfolio, **values: Any) -> Passport:
    return render_passport(content, letterhead(**values), now=NOW)


def reader_of(passport: Passport) -> PdfReader:
    return PdfReader(io.BytesIO(passport.content))


class TestRenderPassportAccessibility:
    def test_render_passport_is_tagged_titled_and_in_french(self) -> None:
        reader = reader_of(render(ordinary()))
        root = reader.trailer["/Root"]

        assert root["/MarkInfo"]["/Marked"]
        assert str(root["/Lang"]).startswith("fr")
        assert root["/ViewerPreferences"]["/DisplayDocTitle"]
        assert reader.metadata and reader.metadata.title == "Passeport professionnel de Noé AGATE"
        xmp = root["/Metadata"].get_data()
        assert b"<pdfuaid:part>1</pdfuaid:part>" in xmp

    def test_render_passport_is_a4_and_embeds_every_font(self) -> None:
        reader = reader_of(render(ordinary()))

        for page in reader.pages:
            assert [round(float(side)) for side in page.mediabox[2:]] == [595, 842]
            for font in page["/Resources"]["/Font"].values():
                described = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described.get_object())

    def test_render_passport_every_picture_says_what_it_shows(self) -> None:
        figures = [each for each in elements(reader_of(render(ordinary()))) if each["/S"] == "/Figure"]

        alternatives = [str(each["/Alt"]) for each in figures]
        assert len(alternatives) == 4
        assert alternatives[0] == "Logo de l’établissement Lycée d’essai"
        assert alternatives[1].startswith("Graphique des niveaux de 1 compétence du diplôme Bac pro MELEC, du ")
        assert alternatives[2] == "Cachet de l’établissement Lycée d’essai"
        assert alternatives[3].startswith("Code QR de l’adresse https://cpro.example/verifier/")

    def test_render_passport_headings_follow_each_other_and_tables_have_headers(self) -> None:
        tags = [str(each["/S"]) for each in elements(reader_of(render(ordinary())))]

        headings = [int(tag[2]) for tag in tags if re.fullmatch(r"/H\d", tag)]
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
        assert tags.count("/TH") >= 4
        assert tags.count("/Table") == 1

    def test_render_passport_relates_each_label_to_its_value(self, text_of: Read) -> None:
        passport = render(ordinary())

        assert "Date de naissance : 31/01/2009" in text_of(passport.content)
        items = [each["/S"] for each in elements(reader_of(passport)) if each["/S"] in ("/Lbl", "/LBody")]
        assert items[:6] == ["/Lbl", "/LBody"] * 3

    def test_render_passport_parts_its_kind_and_the_name(self) -> None:
        outline = reader_of(render(ordinary())).outline

        assert "Passeport professionnel\u00a0Noé AGATE" in [
            each.title for each in outline if not isinstance(each, list)
        ]

    def test_render_passport_prints_nothing_below_seven_points(self) -> None:
        sizes: set[float] = set()

        def note(words: str, _cm: object, matrix: list[float], _font: object, size: float) -> None:
            if words.strip():
                sizes.add(round(size * abs(matrix[3]), 1))

        for page in reader_of(render(ordinary())).pages:
            page.extract_text(visitor_text=note)

        assert min(sizes) >= 7

    def test_render_passport_each_page_bears_its_number_and_the_code(self) -> None:
        passport = render(portfolio([fiche() for _ in range(20)], [evaluation() for _ in range(60)]))
        reader = reader_of(passport)

        assert passport.page_count == len(reader.pages) > 3
        grouped = "-".join(re.findall("....", passport.code))
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text()
            assert f"page {number}/{passport.page_count}" in text
            assert grouped in text


@needs_pdftotext
class TestRenderPassportText:
    def test_render_passport_says_all_there_is(self, text_of: Read) -> None:
        content = portfolio(
            [
                fiche(title="Poser une armoire", tasks="<p>Un <strong>mot</strong> fort</p><ul><li>premier</li></ul>"),
                fiche(title="Ailleurs", origin_school="Lycée d’avant (0999002X)", place=Place.SCHOOL, place_name=""),
            ],
            [
                evaluation(competence_code="C10", competence_label="Dixième", level=2, evaluated_on=date(2026, 3, 4)),
                evaluation(competence_code="C2", competence_label="Deuxième", level=4, scenario_title="Le chantier"),
            ],
            [bilan(body="<p>Une année régulière.</p>")],
            usage_name="Lazuli",
        )
        passport = render(content)

        text = text_of(passport.content)

        for words in (
            "Lycée d’essai",
            "UAI 0999001W",
            "1 rue des Essais",
            "contact@essai.example",
            "Noé AGATE",
            "Lazuli",
            "31/01/2009",
            "Métiers de l’électricité",
            "TMELEC – Terminale MELEC",
            "2 fiches validées, 2 évaluations et 1 bilan",
            "Poser une armoire",
            "En entreprise (PFMP) – Société d’essai – du 02/02/2026 au 27/02/2026.",
            "Fiche validée le 05/10/2026 par Inès QUARTZ.",
            "Un mot fort",
            "premier",
            "Copie reçue de l’établissement d’origine : Lycée d’avant (0999002X).",
            "04/03/2026 2, maîtrise fragile Inès QUARTZ",
            "4, très bonne maîtrise",
            "Le chantier",
            "Du 05/01/2026 au 30/06/2026",
            "Une année régulière.",
            "Fait à Exempleville, le 05/10/2026.",
            "Claude BASALTE",
            "Proviseure",
            "https://cpro.example/verifier",
        ):
            assert words in text.replace("\u202f", " "), words
        assert text.index("C2 Deuxième") < text.index("C10 Dixième")
        assert text.index("Poser une armoire") < text.index("Ailleurs")

    def test_render_passport_keeps_the_ine_to_the_school(self, text_of: Read) -> None:
        assert "0123456789A" not in text_of(render(ordinary()).content)

    def test_render_passport_what_is_typed_is_never_markup(self, text_of: Read) -> None:
        tricky = "#panic() *gras* $x$ <b> _a_ \\ @ref // non"

        text = text_of(render(portfolio([fiche(title=tricky)], last_name="#Agate*")).content)

        assert tricky in text
        assert "#AGATE*" in text

    def test_render_passport_nothing_yet_is_reported(self, text_of: Read) -> None:
        passport = render(portfolio(), logo=None, stamp=None, signatory_name="", signatory_function="", city="")

        text = text_of(passport.content)

        assert passport.entry_count == 0
        for words in ("Aucune fiche validée", "Aucune évaluation", "Aucun bilan", "Fait le 05/10/2026."):
            assert words in text

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("Чехов Ζωή", "ЧЕХОВ ΖΩΉ"),
            ("Nguyễn Đặng", "NGUYỄN ĐẶNG"),
            ("李小龙", "[signe non imprimable]"),
            ("Zoé 🎓", "ZOÉ [signe non imprimable]"),
            ("مريم שרה", "?"),
        ],
    )
    def test_render_passport_other_scripts_never_prevent_it(self, text_of: Read, name: str, kept: str) -> None:
        content = portfolio([fiche(title=name, tasks=f"<p>{name} Ωμέγα</p>")], last_name=name)

        text = text_of(render(content).content)

        assert "Noé" in text
        assert "Ωμέγα" in text
        if kept != "?":
            assert kept in text

    def test_render_passport_long_texts_stay_within_the_page(self, text_of: Read) -> None:
        endless, prose = "x" * 10_000, "Un mot et un autre. " * 500
        content = portfolio(
            [fiche(title="y" * 150, tasks=f"<p>{endless}</p>"), fiche(tasks=f"<p>{prose}</p>")],
            [evaluation(competence_label="z" * 250, scenario_title="w" * 150, author_label="v" * 200)],
            [bilan(body=f"<p>{prose}</p>")],
            last_name="L" * 100,
            first_name="P" * 100,
        )

        passport = render(content, name="N" * 150, address=("A" * 150,), email=f"{'e' * 200}@essai.example")

        text = text_of(passport.content).replace(" ", "").replace("\u200b", "")
        assert text.count("x") >= 10_000
        _assert_blank_margins(content, name="N" * 150, address=("A" * 150,), email=f"{'e' * 200}@essai.example")

    def test_render_passport_five_hundred_records(self, text_of: Read) -> None:
        start = date(2023, 9, 1)
        content = portfolio(
            [fiche(title=f"Situation-{number}") for number in range(200)],
            [
                evaluation(competence_code=f"C{number % 40}", evaluated_on=start + timedelta(days=number * 3))
                for number in range(250)
            ],
            [bilan(author_label=f"Auteur-{number}") for number in range(50)],
        )

        passport = render(content)

        assert passport.entry_count == 500
        assert passport.page_count == len(reader_of(passport).pages)
        text = text_of(passport.content)
        assert all(f"Situation-{number}" in text for number in range(200))
        assert all(f"Auteur-{number}" in text for number in range(50))
        assert text.count("maîtrise satisfaisante") == 250 + 1

    def test_render_passport_diplomas_stand_apart(self, text_of: Read) -> None:
        content = portfolio(
            evaluations=[evaluation(), evaluation(diploma_code="CAP", diploma_label="CAP Électricien", level=1)]
        )

        text = text_of(render(content).content)

        assert "Bac pro MELEC" in text
        assert "CAP Électricien" in text


def _assert_blank_margins(content: Portfolio, **values: Any) -> None:
    """Fail if anything is drawn in the side margins: what does not break runs into them."""
    given = letterhead(**values)
    data = build_pdf_data(content, given, code="ABCDEFGHJKMNPQRS", now=NOW)
    for page in render_pages(TEMPLATE, data, pictures=given.pictures, pages=(0, 1, -1), ppi=36):
        with Image.open(io.BytesIO(page)) as image:
            grey, (width, height) = image.convert("L"), image.size
            for left in (0, width - 20):
                assert grey.crop((left, 0, left + 20, height)).getextrema() == (255, 255)


PICTURES: dict[str, Callable[[], bytes]] = {
    "transparent": lambda: pictures.transparent_png(400, 200),
    "CMYK": lambda: pictures.encoded(
        pictures.two_halves(mode="CMYK", left=(0, 255, 255, 0), right=(255, 255, 0, 0)), "JPEG"
    ),
    "huge": lambda: pictures.jpeg(5000, 2500),
    "tiny": lambda: pictures.png(1, 1),
    "a line": lambda: pictures.png(1200, 1),
    "a column": lambda: pictures.png(1, 1200),
    "grey with alpha": lambda: pictures.encoded(pictures.two_halves(mode="LA", left=(0, 0), right=(90, 255)), "PNG"),
    "palette": pictures.gif,
    "WebP": pictures.webp,
}


class TestRenderPassportPictures:
    @pytest.mark.parametrize("case", PICTURES)
    def test_render_passport_pictures_none_breaks_nor_blackens_it(self, case: str) -> None:
        content = PICTURES[case]()
        given = letterhead(logo=placed(content, PictureKind.LOGO), stamp=placed(content, PictureKind.STAMP))

        passport = render_passport(ordinary(), given, now=NOW)
        data = build_pdf_data(ordinary(), given, code="ABCDEFGHJKMNPQRS", now=NOW)
        [first] = render_pages(TEMPLATE, data, pictures=given.pictures, pages=(0,), ppi=50)

        assert passport.page_count >= 1
        with Image.open(io.BytesIO(first)) as page:
            assert _dark_share(page) < 0.05

    def test_render_passport_pictures_transparency_shows_the_background(self) -> None:
        given = letterhead(logo=placed(pictures.transparent_png(400, 200), PictureKind.LOGO))
        data = build_pdf_data(ordinary(), given, code="ABCDEFGHJKMNPQRS", now=NOW)

        [first] = render_pages(TEMPLATE, data, pictures=given.pictures, pages=(0,), ppi=72)

        with Image.open(io.BytesIO(first)) as page:
            colours = page.convert("RGB")
            # The logo fills 50 × 25 mm in the corner of the margins: its left half is transparent, the right one blue.
            assert colours.getpixel((round(30 / 25.4 * 72), round(36 / 25.4 * 72))) == (255, 255, 255)
            assert colours.getpixel((round(60 / 25.4 * 72), round(36 / 25.4 * 72))) == pictures.BLUE

    @pytest.mark.parametrize("lacking", ["logo", "stamp"])
    def test_render_passport_pictures_it_does_without(self, lacking: str) -> None:
        assert render(ordinary(), **{lacking: None}).page_count >= 1


def _dark_share(page: Image.Image) -> float:
    """Return the share of a page that is nearly black."""
    histogram = page.convert("L").histogram()
    return sum(histogram[:40]) / sum(histogram)
