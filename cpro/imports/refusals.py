"""Why an import as a whole is refused, or must be confirmed first."""

from __future__ import annotations

from cpro.core.errors import Conflict, DomainError, NotFound


class OtherSchool(DomainError):
    """Refuse the files of another school."""

    def __init__(self, name: str, uai: str, own: str) -> None:
        super().__init__(
            f"« {name} » est un fichier de l’établissement {uai}, et non du vôtre ({own}) : rien n’a été importé.",
            field="files",
        )


class UAIMissing(DomainError):
    """Refuse to import into a school that has not said which one it is."""

    def __init__(self) -> None:
        super().__init__(
            "L’UAI de l’établissement manque : indiquez-la dans Paramètres, onglet Établissement, avant d’importer.",
            field="files",
        )


class SIECLENotUsed(DomainError):
    """Refuse the ministry's files where the school says it does not use SIECLE."""

    def __init__(self) -> None:
        super().__init__(
            "Votre établissement déclare ne pas utiliser SIECLE : déposez les tableaux issus de nos modèles, ou "
            "changez cette réponse dans Paramètres, onglet Transferts.",
            field="files",
        )


class SIECLEUsed(DomainError):
    """Refuse tables where the school's data come from SIECLE."""

    def __init__(self) -> None:
        super().__init__(
            "Votre établissement utilise SIECLE : élèves et personnels viennent des exports de SIECLE et de STS-Web. "
            "Les tableaux sont réservés aux établissements qui ne l’utilisent pas (Paramètres, onglet Transferts).",
            field="files",
        )


class FilesDisagree(DomainError):
    """Refuse two files of one kind, or files of two school years, or none that can be imported."""


class EmptyImport(DomainError):
    """Refuse a file that names nobody."""


class ImportUnderWay(Conflict):
    """Refuse a second import while one is being applied."""

    def __init__(self) -> None:
        super().__init__("Un import est en cours dans cet établissement : attendez qu’il soit terminé.")


class UndoUnderWay(Conflict):
    """Refuse to apply an import, or to undo one again, while the last one is being undone."""

    def __init__(self) -> None:
        super().__init__("L’annulation d’un import est en cours : attendez qu’elle soit terminée.")


class AnalysisOutdated(Conflict):
    """Refuse to apply an analysis of data that changed since."""

    def __init__(self) -> None:
        super().__init__(
            "Les données de l’établissement ont changé depuis l’analyse : rien n’a été écrit. "
            "Relancez l’analyse, puis confirmez à nouveau."
        )


class ConfirmationMissing(DomainError):
    """Ask for an explicit confirmation, in sentences that name the figures."""


class AnalysisSeenChanged(Conflict):
    """Refuse to apply figures other than those the person saw."""

    def __init__(self) -> None:
        super().__init__(
            "L’analyse ou les choix ont changé depuis que vous avez ouvert cette page : relisez-les, puis confirmez."
        )


class FilesGone(Conflict):
    """Refuse to analyse files that are not kept any more."""

    def __init__(self) -> None:
        super().__init__("Les fichiers de cet import ne sont plus conservés : déposez-les de nouveau.")


class NotToApply(Conflict):
    """Refuse to apply an import that is not waiting for it."""

    def __init__(self) -> None:
        super().__init__("Cet import n’attend pas d’être appliqué.")


class UndoImpossible(Conflict):
    """Refuse to undo an import, with the reason."""


class UnknownRun(NotFound):
    """Say that an import does not exist, for this school at least."""

    def __init__(self) -> None:
        super().__init__("Cet import n’existe pas.")
