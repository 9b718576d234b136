"""Errors of imports: why a file or an import is refused, or must be confirmed first; one sentence each."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, NotFound


class FileRefused(DomainError):
    """Refuse a deposited file; each subclass defines the sentence, unless it needs figures."""

    message = "Ce fichier ne peut pas être lu : refaites l’export, puis déposez-le de nouveau."
    field = "files"
    file_name = ""

    def name_file(self, name: str) -> None:
        """Prefix the sentence with the file's name, once: the innermost name is the one the user can act upon."""
        if not self.file_name:
            self.file_name = name
            self.message = f"« {name} » : {self.message[0].lower()}{self.message[1:]}"
            self.args = (self.message,)


class DepositTooLarge(FileRefused):
    """Refuse more bytes than a school's files can have."""


class EmptyFile(FileRefused):
    """Refuse a file without content."""

    message = "Ce fichier est vide : refaites l’export, puis déposez-le de nouveau."


class BrokenArchive(FileRefused):
    """Refuse an archive that is damaged, or whose table of contents is false."""

    message = "Cette archive est abîmée : téléchargez-la de nouveau depuis l’application qui l’a produite."


class EncryptedArchive(FileRefused):
    """Refuse an archive that needs a password."""

    message = "Cette archive est protégée par un mot de passe : déposez son contenu sans protection."


class ArchiveBomb(FileRefused):
    """Refuse an archive that would unpack to an excessive size."""

    message = "Cette archive se déploie hors de toute mesure : déposez le fichier XML lui-même."


class CrowdedArchive(FileRefused):
    """Refuse an archive with too many members."""


class NestedArchive(FileRefused):
    """Refuse an archive inside an archive."""

    message = "Cette archive en contient une autre : déposez séparément les archives ou les fichiers qu’elle contient."


class UnsafeArchive(FileRefused):
    """Refuse an archive with names pointing outside it, or with links."""

    message = "Cette archive contient un lien ou un chemin interdit : déposez les fichiers XML eux-mêmes."


class UnsupportedArchive(FileRefused):
    """Refuse an archive that is not an ordinary zip."""

    message = "Cette archive n’est pas un zip ordinaire : déposez les fichiers XML eux-mêmes."


class ArchiveWithoutFile(FileRefused):
    """Refuse an archive without any file to read."""

    message = "Cette archive ne contient aucun fichier XML, CSV ou XLSX : vérifiez l’export choisi."


class UnknownFile(FileRefused):
    """Refuse a file that is not of a kind that schools deposit."""

    message = (
        "Ce fichier n’est ni un export de SIECLE ou de STS-Web, ni un tableau issu de nos modèles : vérifiez l’export "
        "choisi."
    )


class WebPage(FileRefused):
    """Refuse a web page that an application returned instead of the file."""

    message = (
        "Ce fichier est une page web, sans doute celle d’une session expirée : reconnectez-vous et refaites l’export."
    )


class TableInWebPage(WebPage):
    """Refuse a page that contains a table: many programs save tables so, with the extension « .xls »."""

    message = (
        "Ce fichier est une page web qui contient un tableau : si c’est un tableau enregistré au format page web, même "
        "nommé .xls, ouvrez-le dans un tableur et enregistrez-le en XLSX ; si c’est la page d’une session expirée, "
        "reconnectez-vous et refaites l’export."
    )


class ResponsiblesRefused(FileRefused):
    """Refuse the file of parents, which no feature needs."""

    message = "Le fichier des responsables n’est pas utile, nous ne conservons aucune donnée sur les familles."


class WrongDirection(FileRefused):
    """Refuse the file that the timetable software sends to STS-Web."""

    message = (
        "Ce fichier va du logiciel d’emploi du temps vers STS-Web (emp_sts) : déposez celui qui vient de STS-Web, "
        "nommé sts_emp, par « Exports », puis « Emploi du temps »."
    )


class UnusedExport(FileRefused):
    """Refuse an export of SIECLE that contains nothing we use."""

    message = (
        "Cet export de SIECLE ne sert pas ici : déposez les élèves, les structures ou les nomenclatures, ou le fichier "
        "sts_emp de STS-Web."
    )


class ForbiddenDeclaration(FileRefused):
    """Refuse a DOCTYPE: no export has one, and entity attacks need one."""

    message = "Ce fichier contient une déclaration DOCTYPE, interdite dans un import : refaites l’export."


class UnknownEncoding(FileRefused):
    """Refuse a file in an encoding that no export uses."""

    message = "L’encodage de ce fichier n’est pas reconnu : refaites l’export, puis déposez-le sans l’ouvrir."


class BrokenXML(FileRefused):
    """Refuse an XML file that is damaged or truncated."""

    message = "Ce fichier est incomplet ou abîmé : refaites l’export, puis déposez-le sans l’ouvrir."


class OversizedRecord(FileRefused):
    """Refuse an XML file with a record larger than any person's can be."""

    message = "La structure de ce fichier n’est pas celle d’un export de SIECLE ou de STS-Web : refaites l’export."


class TooManyLines(FileRefused):
    """Refuse more records than any school has."""


class MissingHeader(FileRefused):
    """Refuse an export that does not say which school and which year it is about."""

    message = "Ce fichier ne dit pas de quel établissement ou de quelle année scolaire il parle : refaites l’export."


class UnreadableTable(FileRefused):
    """Refuse a CSV or XLSX file that is damaged or not a table."""

    message = "Ce tableau ne peut pas être lu : enregistrez-le en XLSX ou en CSV (UTF-8), puis déposez-le de nouveau."


class OtherFormat(UnreadableTable):
    """Refuse a table in a format that is not read, named « un classeur OpenDocument (.ods) »."""

    def __init__(self, format_name: str) -> None:
        super().__init__(
            f"Ce fichier est {format_name} : ouvrez-le, enregistrez-le en XLSX, puis déposez-le de nouveau."
        )


class EncryptedWorkbook(UnreadableTable):
    """Refuse a workbook that needs a password."""

    message = (
        "Ce classeur est protégé par un mot de passe : enregistrez-le sans mot de passe, puis déposez-le de nouveau."
    )


class StrayQuote(UnreadableTable):
    """Refuse a CSV file with a quotation mark in an unexpected place."""

    def __init__(self, line: int) -> None:
        super().__init__(
            f'La ligne {line} de ce tableau contient un guillemet droit (") mal placé : supprimez-le ou doublez-le, '
            "puis enregistrez de nouveau."
        )


class UnknownTableEncoding(UnreadableTable):
    """Refuse a CSV file whose encoding is ambiguous."""

    message = (
        "Les lettres accentuées de ce tableau ne peuvent pas être lues avec certitude (Windows-1252 ou Mac OS Roman) : "
        "enregistrez-le en XLSX, ou en CSV UTF-8, puis déposez-le de nouveau."
    )


class MissingColumns(FileRefused):
    """Refuse a table that lacks required columns, or has one twice."""


class NotAnExport(FileRefused):
    """Refuse a file that is not an export, if the school's data comes from SIECLE: it does not use tables."""

    message = (
        "Ce fichier n’est pas un export de SIECLE ni de STS-Web : déposez les fichiers tels que ces applications les "
        "donnent (ElevesSansAdresses, Structures, Nomenclature, sts_emp), sans les ouvrir."
    )


class NotATable(FileRefused):
    """Refuse a file that is not a table, if the school deposits tables only."""

    message = (
        "Ce fichier n’est pas un tableau issu de nos modèles : remplissez le modèle des élèves ou celui des "
        "personnels, puis déposez-le en XLSX ou en CSV."
    )


class OtherSchool(DomainError):
    """Refuse the files of another school."""

    def __init__(self, name: str, uai: str, own: str) -> None:
        super().__init__(
            f"« {name} » est un fichier de l’établissement {uai}, et non du vôtre ({own}) : rien n’a été importé.",
            field="files",
        )


class UAIMissing(DomainError):
    """Refuse to import into a school without a UAI."""

    message = "L’UAI de l’établissement manque : indiquez-la dans Paramètres, onglet Établissement, avant d’importer."
    field = "files"


class SIECLENotUsed(DomainError):
    """Refuse the ministry's files if the school says it does not use SIECLE."""

    message = (
        "Votre établissement déclare ne pas utiliser SIECLE : déposez les tableaux issus de nos modèles, ou "
        "changez cette réponse dans Paramètres, onglet Transferts."
    )
    field = "files"


class SIECLEUsed(DomainError):
    """Refuse tables if the school's data comes from SIECLE."""

    message = (
        "Votre établissement utilise SIECLE : élèves et personnels viennent des exports de SIECLE et de STS-Web. "
        "Les tableaux sont réservés aux établissements qui ne l’utilisent pas (Paramètres, onglet Transferts)."
    )
    field = "files"


class FilesDisagree(DomainError):
    """Refuse two files of one kind, or files of two school years, or none that can be imported."""


class EmptyImport(DomainError):
    """Refuse a file without people."""


class ImportUnderWay(Conflict):
    """Refuse a second import while one is being applied."""

    message = "Un import est en cours dans cet établissement : attendez qu’il soit terminé."


class UndoUnderWay(Conflict):
    """Refuse to apply an import, or to undo one again, while the last one is being undone."""

    message = "L’annulation d’un import est en cours : attendez qu’elle soit terminée."


class AnalysisOutdated(Conflict):
    """Refuse to apply an analysis of data that changed since."""

    message = (
        "Les données de l’établissement ont changé depuis l’analyse : rien n’a été écrit. "
        "Relancez l’analyse, puis confirmez à nouveau."
    )


class ConfirmationMissing(DomainError):
    """Ask for an explicit confirmation, with sentences stating the figures."""


class AnalysisSeenChanged(Conflict):
    """Refuse to apply figures other than those the user saw."""

    message = "L’analyse ou les choix ont changé depuis que vous avez ouvert cette page : relisez-les, puis confirmez."


class FilesGone(Conflict):
    """Refuse to analyse files that are no longer kept."""

    message = "Les fichiers de cet import ne sont plus conservés : déposez-les de nouveau."


class NotToApply(Conflict):
    """Refuse to apply an import that is not waiting for it."""

    message = "Cet import n’attend pas d’être appliqué."


class UndoImpossible(Conflict):
    """Refuse to undo an import, with the reason."""


class WorkedOn(UndoImpossible):
    """Refuse to undo an import once what it wrote was worked on: « un élève », « a été modifié depuis »."""

    def __init__(self, noun: str, what: str) -> None:
        super().__init__(f"Cet import ne peut plus être annulé : {noun} {what}. Rien n’a été défait.")


class UnknownRun(NotFound):
    """Report that an import does not exist, at least in this school."""

    message = "Cet import n’existe pas."


class AnalysisGone(NotFound):
    """Report that the proposed changes of an import are not kept: it was not applied."""

    message = "Cet import n’a pas été appliqué : son analyse n’est plus conservée."
