"""What people do on many days, each step found on the page before it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.helpers.pictures import png
from tests.helpers.siecle import FILES, structures, student, students_xml
from tests.journeys.conftest import PASSWORD
from tests.journeys.live import Live, code_in, link_in
from tests.journeys.visitor import Visitor

#: The school of the sample files.
UAI = "0999001W"
OTHER_UAI = "0999002X"
_CODE_LINK = "J’ai reçu un code d’activation"
SIECLE_FILES = ("ExportXML_ElevesSansAdresses.zip", "ExportXML_Structures.zip", "ExportXML_Nomenclature.zip")
STS_FILE = "sts_emp_0999001W_2026.xml"


def activate(platform: Live, name: str, *, school: str, login: str, code: str, password: str = PASSWORD) -> Visitor:
    """Choose a password with a code, from the front page, and return the browser that is then signed in."""
    visitor = platform.visitor(name)
    activate_with(visitor, school=school, login=login, code=code, password=password)
    return visitor


def activate_with(visitor: Visitor, *, school: str, login: str, code: str, password: str = PASSWORD) -> None:
    """Choose a password with a code in somebody's browser, from the front page."""
    visitor.open_site()
    visitor.follow(_CODE_LINK)
    visitor.press(
        "Enregistrer et se connecter",
        establishment=school,
        login=login,
        code=code,
        password=password,
        password_confirm=password,
    )
    assert visitor.status == 200, visitor.text
    visitor.sees("Votre mot de passe est enregistré")


def sign_in(platform: Live, name: str, *, school: str, login: str, password: str = PASSWORD) -> Visitor:
    """Return a browser signed in from the front page."""
    visitor = platform.visitor(name)
    visitor.sign_in(school, login, password)
    assert visitor.path != "/connexion", visitor.text
    return visitor


def create_school(platform: Live, *, code: str, uai: str, name: str, head_email: str = "") -> Visitor:
    """Create a school as the platform's team does; return its administrator, activated."""
    head = ("--head-email", head_email) if head_email else ()
    printed = platform.flask("establishments", "create", "--name", name, "--uai", uai, "--code", code, *head)
    return activate(platform, f"administrator of {code}", school=code, login="administrateur", code=code_in(printed))


def complete_particulars(administrator: Visitor, *, email: str) -> None:
    """Follow the dashboard to what is missing of the school's particulars, and fill it."""
    administrator.menu("Tableau de bord")
    administrator.follow("Compléter : Renseigner l’établissement")
    administrator.press(
        "Valider",
        email=email,
        address_line1="1 rue des Quartz",
        postal_code="75005",
        city="Paris",
        dpd_name="Zoé Mica",
        dpd_email="dpd@academie.example",
    )
    administrator.sees("Enregistré")


def switch_transfers_on(administrator: Visitor, *, uses_siecle: bool = True) -> None:
    """Give the reference that allows transfers and switch them on."""
    administrator.menu("Tableau de bord")
    administrator.follow("Activer : Activer les transferts")
    administrator.press(
        "Valider",
        cnil_kind="registre",
        cnil_reference="RGPD-2026-12",
        transfers_enabled="oui",
        uses_siecle="oui" if uses_siecle else "non",
    )
    administrator.sees("Enregistré")


def deposit_pictures(administrator: Visitor) -> None:
    """Put the logo and the stamp."""
    administrator.menu("Tableau de bord")
    administrator.follow("Déposer : Déposer le logo et le cachet")
    for button, kind in (("Télécharger un logo", "logo"), ("Télécharger le cachet de l’établissement", "cachet")):
        administrator.fill_and_press(button, {kind: ("image.png", png())})
        assert administrator.status == 200, administrator.text


def sample(name: str, uai: str = UAI) -> tuple[str, bytes]:
    """Return a sample export, as another school's if asked (plain XML only)."""
    content = (FILES / name).read_bytes().replace(UAI.encode(), uai.encode())
    return name.replace(UAI, uai), content


def samples() -> list[Path]:
    """Return the whole deposit of the first day: pupils, classes, nomenclature, staff."""
    return [FILES / name for name in (*SIECLE_FILES, STS_FILE)]


def many_pupils(count: int, division: str = "2M") -> list[tuple[str, bytes]]:
    """Return the sample export of pupils with so many more, NOMBREUX, in forty divisions that begin alike."""
    names = [f"{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}{number}" for number in range(count)]
    pupils = "\n".join(
        student(str(1000 + number), "", NOM_DE_FAMILLE=f"NOMBREUX {name}") for number, name in enumerate(names)
    )
    places = "\n".join(structures(str(1000 + number), f"{division}{number % 40}") for number in range(count))
    sample = (FILES / "ElevesSansAdresses.xml").read_bytes().decode("iso-8859-15")
    known = sample[sample.index("<ELEVE ") : sample.index("</ELEVES>")]
    known_places = sample[sample.index("<STRUCTURES_ELEVE ") : sample.index("</STRUCTURES>")]
    text = students_xml(known + pupils, known_places + places)
    return [("ElevesSansAdresses.xml", text.encode("iso-8859-15"))]


def deposit(administrator: Visitor, files: list[Path] | list[tuple[str, bytes]]) -> None:
    """Deposit files from the menu and wait for their analysis, on the page where it appears."""
    administrator.menu("Gérer les imports")
    administrator.press("Analyser les fichiers", files=files)
    assert administrator.status == 200, administrator.text


def try_again_while_busy(platform: Live, visitor: Visitor) -> None:
    """Press « Réessayer » as long as the page says that the database is busy: nothing typed is lost meanwhile."""

    def done() -> bool:
        if visitor.status == 503:
            visitor.press("Réessayer")
        return visitor.status != 503

    platform.wait_until(done, "an answer that is no 503")


def deposit_refused(administrator: Visitor, files: list[tuple[str, bytes]], *words: str) -> None:
    """Deposit files that are refused, at once or by their analysis, in a sentence that holds the words."""
    administrator.menu("Gérer les imports")
    administrator.press("Analyser les fichiers", files=files)
    assert administrator.status == 422, administrator.text
    administrator.sees(*words)


def apply_import(platform: Live, administrator: Visitor, **confirmed: bool | list[str] | str) -> None:
    """Apply the analysis one is on and wait for the report, at whatever page leads there."""
    administrator.press("Appliquer l’import", **confirmed)
    assert administrator.status == 200, administrator.text
    wait_for_report(platform, administrator)


def wait_for_report(platform: Live, administrator: Visitor) -> None:
    """Wait for the report of an import, on its page or on that of the job that applies it."""

    def report() -> bool:
        if administrator.offers("Voir l’import"):
            administrator.follow("Voir l’import")
        else:
            administrator.reload()
        return "Ce que l’import a fait" in administrator.text

    platform.wait_until(report, "the report of the import")


def attach_courses(administrator: Visitor) -> None:
    """Give a diploma to the course that waits for one, as the list suggests it."""
    administrator.menu("Tableau de bord")
    administrator.follow("Voir la liste : Rattacher les formations (MEF) à un diplôme")
    administrator.follow("Corriger 1CAP2")
    administrator.press("Valider", diploma=administrator.value_called("diploma", "CAP Électricien"))
    administrator.menu("Tableau de bord")
    administrator.sees("Rattacher les formations (MEF) à un diplôme (fait)")


def open_school(platform: Live, *, code: str = "curie", uai: str = UAI) -> tuple[Visitor, Visitor]:
    """Create a school, import its sample files, and return its administrator and its head, both activated."""
    platform.flask("competences", "load")
    head_mail = f"chef@{code}.example"
    administrator = open_imported_school(platform, code=code, uai=uai, head_mail=head_mail)
    return administrator, activate_head(platform, administrator, name="PROVISEUR-FICTIF", mailbox=head_mail)


def open_imported_school(platform: Live, *, code: str = "curie", uai: str = UAI, head_mail: str) -> Visitor:
    """Create a school, import its sample files, and return its administrator: its head has no account yet."""
    administrator = create_school(platform, code=code, uai=uai, name="Lycée Marie-Curie", head_email=head_mail)
    complete_particulars(administrator, email=f"lycee@{code}.example")
    switch_transfers_on(administrator)
    deposit(administrator, samples())
    apply_import(platform, administrator)
    return administrator


def activate_head(platform: Live, administrator: Visitor, *, name: str, mailbox: str) -> Visitor:
    """Have the head's code sent, and activate with what the mailbox received."""
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow(name)
    administrator.follow("Réinitialiser")
    administrator.press("Réinitialiser", current_password=PASSWORD)
    administrator.sees(mailbox)
    message = platform.wait_for_mail(mailbox)
    head = platform.visitor("head")
    head.open_received(link_in(message))
    head.press("Enregistrer et se connecter", code=code_in(message), password=PASSWORD, password_confirm=PASSWORD)
    head.sees("Votre mot de passe est enregistré")
    return head


def give_code(administrator: Visitor, name: str) -> str:
    """Create the code of somebody from their page, as when they stand at the desk; return it."""
    administrator.menu("Gérer les profils utilisateurs")
    administrator.press("Filtrer", recherche=name)
    administrator.follow(name)
    administrator.follow("Réinitialiser")
    administrator.press("Réinitialiser", current_password=PASSWORD)
    return code_in(administrator.text)


def activate_teacher(platform: Live, administrator: Visitor, *, name: str, login: str, school: str) -> Visitor:
    """Give a teacher their code and let them activate."""
    return activate(platform, name, school=school, login=login, code=give_code(administrator, name))


def open_pupils_accounts(administrator: Visitor) -> None:
    """Follow the dashboard to the accounts of the sample's pupils, and open them all."""
    administrator.menu("Tableau de bord")
    administrator.follow("Ouvrir les comptes : Ouvrir les comptes des élèves")
    administrator.follow("Ouvrir les comptes de tous")
    administrator.press("Ouvrir 11 comptes")
    administrator.sees("11 comptes d’élèves sont ouverts")


def write_fiche(writer: Visitor, title: str, *, button: str = "Enregistrer et valider") -> None:
    """Write a fiche from the page of a pupil, and press one of its buttons."""
    writer.follow("Écrire une fiche")
    writer.press(
        button,
        title=title,
        place="company",
        place_name="Électricité Quartz",
        starts_on="2026-11-02",
        ends_on="2026-11-06",
        tasks="Pose du tableau.",
    )


def create_sheets(administrator: Visitor, **choice: str) -> dict[str, dict[str, str]]:
    """Create activation sheets as a table and return its lines, {login: {title: value}}."""
    administrator.menu("Gérer les profils utilisateurs")
    administrator.follow("Fiches d’activation")
    administrator.fill_and_press("Préparer les fiches", {"format": "csv", **choice})
    if not administrator.offers("Télécharger le tableau CSV"):  # codes already on paper will be void: asked first
        administrator.press("Préparer")
    administrator.follow("Télécharger le tableau CSV")
    lines = csv.DictReader(io.StringIO(administrator.answer.content.decode("utf-8-sig")), delimiter=";")
    return {line["Identifiant"]: line for line in lines}
