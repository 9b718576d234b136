"""Present imports as text on pages and in files: figures, changes field by field, findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cpro.audit import labels
from cpro.core.formatting import mask_ines, plural
from cpro.core.permissions import Permission
from cpro.imports.changes import to_plain
from cpro.imports.diff.proposals import label_of
from cpro.imports.models import ChangeAction, ImportChange, ImportFinding, ImportQuestion, ImportRun, RunState
from cpro.imports.parse.findings import Severity
from cpro.imports.runs import listing
from cpro.imports.summaries import get_figures, summarise
from cpro.students.queries import list_diplomas

OBJECT_LABELS = {"student": "Élève", "account": "Personnel", "division": "Division", "mef": "Formation (MEF)"}
_LEVELS = {
    RunState.APPLIED: "ok",
    RunState.ANALYSED: "warning",
    RunState.FAILED: "blocked",
}
#: Columns of the figures of people, in order: name in the counts, title before, title after, action filtered by the
#: list it links to.
_FIGURES = (
    ("created", "À créer", "Créés", "create"),
    ("changed", "À modifier", "Modifiés", "change"),
    ("deactivated", "À désactiver", "Désactivés", "deactivate"),
    ("reactivated", "À réactiver", "Réactivés", "reactivate"),
    ("unchanged", "Inchangés", "Inchangés", ""),
    ("refused", "Refusés", "Refusés", ""),
    ("to_confirm", "À confirmer", "Sans réponse", ""),
    ("without_ine", "Sans INE", "Sans INE", ""),
)

#: Texts for a person whose change was proposed but not ticked: while the import is applied, and in its report.
_STAYS, _LEFT = "non coché\u202f: rien ne change", "non coché\u202f: rien n’a changé"
#: What remains to be done for them: family in the counts, singular, plural, what to do.
_UNTICKED = (
    (
        "students",
        "élève absent des fichiers et non coché est laissé tel quel",
        "élèves absents des fichiers et non cochés sont laissés tels quels",
        "notez ensuite dans «\u202fÉlèves\u202f» le départ de qui est parti",
    ),
    (
        "staff",
        "personnel absent des fichiers et non coché est laissé tel quel",
        "personnels absents des fichiers et non cochés sont laissés tels quels",
        "désactivez ensuite dans «\u202fGérer les profils utilisateurs\u202f» le compte de qui est parti",
    ),
)


@dataclass(frozen=True)
class Field:
    """The old and new values of one field."""

    label: str
    old: str
    new: str

    @property
    def was_empty(self) -> bool:
        """Return whether there was no previous value."""
        return self.old == labels.EMPTY


@dataclass(frozen=True)
class ShownChange:
    """A change of one object, as text."""

    id: int
    kind: str
    action: str
    name: str
    is_selected: bool
    is_creation: bool
    fields: tuple[Field, ...]
    #: proposed, and left out by an import that was applied, or is being applied
    was_left: bool = False

    @property
    def summary(self) -> str:
        """Return the fields in one line: the new values for a new person, else the old and the new ones."""
        if self.is_creation:
            return " ; ".join(f"{each.label} : {each.new}" for each in self.fields)
        return " ; ".join(f"{each.label} : {each.old} → {each.new}" for each in self.fields)


@dataclass(frozen=True)
class ShownFinding:
    """A finding about one line, as text."""

    severity: str
    level: str
    code: str
    file: str
    line: str
    name: str
    sentence: str


@dataclass(frozen=True)
class Figure:
    """One number of the table, and the parameters of the list it links to ("" for none)."""

    number: int
    query: str


@dataclass(frozen=True)
class FigureLine:
    """One line of the table of figures."""

    title: str
    figures: tuple[Figure | None, ...]


class ImportPresenter:
    """Turn changes and findings into text for one reader; INE are masked for readers who may not see them."""

    def __init__(self, *, masked: bool, timezone: str) -> None:
        self._masked, self._timezone = masked, timezone
        self._diplomas: dict[int, str] | None = None

    def present_change(self, change: ImportChange, run: ImportRun) -> ShownChange:
        """Return a change as text."""
        is_done = run.state in (RunState.APPLIED, RunState.UNDONE)
        was_left = (is_done or run.state is RunState.APPLYING) and not change.is_selected
        left = _LEFT if is_done else _STAYS
        object_type = change.object_type
        role = change.changes["role"].new if "role" in change.changes else None
        is_pupils = role is not None and role.can(Permission.OWN_RECORDS)
        return ShownChange(
            change.id,
            "Compte d’élève" if is_pupils else OBJECT_LABELS.get(object_type, object_type),
            left if was_left else change.action.done_label if is_done else change.action.label,
            change.object_label,
            change.is_selected,
            change.action is ChangeAction.CREATE,
            tuple(
                Field(labels.field_label(object_type, name), *(self._value(object_type, name, each) for each in pair))
                for name, pair in ({} if was_left else to_plain(change.changes)).items()
            ),
            was_left,
        )

    def present_finding(self, finding: ImportFinding) -> ShownFinding:
        """Return a finding as text."""
        severity = Severity[finding.severity]
        levels = {Severity.REFUSED: "blocked", Severity.IGNORED: "info"}
        return ShownFinding(
            severity.value,
            levels.get(severity, "warning"),
            label_of(finding.code),
            finding.file_kind,
            str(finding.line) if finding.line else "",
            mask_ines(finding.object_label) if self._masked else finding.object_label,
            finding.sentence,
        )

    def list_lines(self, run: ImportRun) -> Iterator[list[str]]:
        """Yield the titles, then every change and every finding, as rows of a file."""
        yield [
            "Nature",
            "Quoi",
            "Nom",
            "Action",
            "Retenu",
            "Modifications",
            "Fichier",
            "Ligne",
            "Constat",
            "Explication",
        ]
        for change in listing.iter_changes(run.id):
            shown = self.present_change(change, run)
            selected = "oui" if shown.is_selected else "non"
            yield ["modification", shown.kind, shown.name, shown.action, selected, shown.summary, "", "", "", ""]
        for finding in listing.iter_findings(run.id):
            found = self.present_finding(finding)
            line = [found.severity, "", found.name, "", "", "", found.file, found.line, found.code, found.sentence]
            yield line

    def _value(self, object_type: str, name: str, value: Any) -> str:
        if name == "diploma_id" and value is not None:
            if self._diplomas is None:
                self._diplomas = {diploma.id: diploma.short_label for diploma in list_diplomas()}
            return self._diplomas.get(value, f"n° {value}")
        return labels.value_label(object_type, name, value, masked=self._masked, timezone=self._timezone)


def get_level(state: RunState) -> str:
    """Return the level of a state: ok, info, warning or blocked."""
    return _LEVELS.get(state, "info")


def list_figures(run: ImportRun) -> tuple[tuple[str, ...], list[FigureLine]]:
    """Return the titles and the lines of the table of figures of an analysed import."""
    is_done = run.state in (RunState.APPLIED, RunState.UNDONE)
    titles = tuple(after if is_done else before for _name, before, after, _action in _FIGURES)
    lines = []
    for title, family, object_type in (("Élèves", "students", "student"), ("Personnels", "staff", "account")):
        counts = get_figures(run.counts, family)
        figures = [
            Figure(counts[name], f"quoi={object_type}&action={action}" if action else "")
            for name, _before, _after, action in _FIGURES
        ]
        lines.append(FigureLine(title, tuple(figures if family == "students" else [*figures[:-1], None])))
    others = listing.count_by_action(run.id, "division", "mef")
    for title, object_type in (("Divisions", "division"), ("Formations (MEF)", "mef")):
        created, changed = (
            others.get((object_type, action), 0) for action in (ChangeAction.CREATE, ChangeAction.CHANGE)
        )
        lines.append(
            FigureLine(
                title,
                (
                    Figure(created, f"quoi={object_type}&action=create"),
                    Figure(changed, f"quoi={object_type}&action=change"),
                    *[None] * (len(_FIGURES) - 2),
                ),
            )
        )
    return titles, lines


def count_refused(run: ImportRun) -> int:
    """Return how many lines of an analysed import are refused, those to confirm aside."""
    return sum(get_figures(run.counts, family)["refused"] for family in ("students", "staff"))


def list_sentences(run: ImportRun) -> list[str]:
    """Return sentences with the figures that are not in the table."""
    counts, sentences = run.counts, []
    for family, one, many, why in (
        (
            "students",
            "ligne d’élève n’est pas reprise",
            "lignes d’élèves ne sont pas reprises",
            "élèves partis ou sans division",
        ),
        (
            "staff",
            "ligne de personnel n’est pas reprise",
            "lignes de personnels ne sont pas reprises",
            "personnes sans fonction, ou dont la fonction ne donne pas de compte",
        ),
    ):
        if number := counts.get("ignored", {}).get(family):
            sentences.append(f"{plural(number, one, many)} ({why}).")
    if run.state in (RunState.APPLYING, RunState.APPLIED):
        for family, one, many, what in _UNTICKED:
            if number := counts.get("unticked", {}).get(family):
                sentences.append(f"{plural(number, one, many)}\u202f: {what}.")
    if opened := counts.get("accounts_opened"):
        sentences.append(f"{plural(opened, 'compte d’élève ouvert', 'comptes d’élèves ouverts')}.")
    return sentences


def summarise_run(run: ImportRun) -> str:
    """Return a one-line summary of an import for a list: what was done, or would be; "" once abandoned."""
    is_done = run.state in (RunState.APPLIED, RunState.UNDONE)
    if not run.counts or not (is_done or run.open_key is not None):
        return ""
    return summarise(run.counts, is_done=is_done)


def describe_void_codes(run: ImportRun) -> str:
    """Return what happened to the activation codes of the accounts that an import closed or reopened, "" if nothing."""
    staff = (run.counts or {}).get("staff") or {}
    if run.state is RunState.UNDONE and staff.get("deactivated"):
        return (
            "Les codes d’activation que cet import avait annulés, en désactivant des comptes, restent sans effet : "
            "qui n’a jamais choisi son mot de passe a besoin d’une nouvelle fiche."
        )
    if run.state is RunState.APPLIED and staff.get("reactivated"):
        return (
            "Un compte réactivé n’a plus de code d’activation : qui n’a jamais choisi son mot de passe a besoin d’une "
            "nouvelle fiche."
        )
    return ""


def describe_files(run: ImportRun) -> str:
    """Return the files of an import: « ElevesSansAdresses.xml (Élèves (SIECLE)) »."""
    return ", ".join(f"{file['name']} — {file['kind']}" for file in run.used_files)


def list_choices(question: ImportQuestion) -> list[tuple[str, str]]:
    """Return the answers of a question, (value, label)."""
    if question.object_type == ImportQuestion.COLUMN:
        columns = [(str(number), title) for number, title in question.candidates]
        return [("", "Sans réponse : elle n’est pas reprise"), *columns, ("0", "Aucune d’elles")]
    same = [(str(candidate[0]), f"La même personne : {candidate[1]}") for candidate in question.candidates]
    return [*same, ("0", "Une autre personne : elle sera créée" if question.can_create else _left_out(question))]


def _left_out(question: ImportQuestion) -> str:
    """Return the answer that leaves a line aside, and what the user must do then."""
    what = "le numéro ou l’INE" if question.object_type == "student" else "le numéro, l’identifiant ou l’adresse"
    return f"Une autre personne : la ligne est laissée de côté, corrigez-en {what} dans le fichier et redéposez-le"
