"""« Ce que cela change »: what each tab changes elsewhere, from the current figures.

One function per tab, named in the table of `tabs.py`; a tab that concerns several features calls them in the order of
the lines on the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from cpro.core import clock
from cpro.core.formatting import join_french, plural, upper_first
from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import current_principal
from cpro.establishments.gate import MissingParticular, missing_particulars
from cpro.establishments.models import Module, PictureKind
from cpro.establishments.queries import find_picture, get_current_establishment, get_school_today
from cpro.establishments.web.modules import is_on
from cpro.inspectors.models import MandateState
from cpro.inspectors.queries import count_mandates
from cpro.masks.queries import count_wordings_by_diploma
from cpro.records.operations.retention import get_preview
from cpro.scenarios.queries import count_in_use
from cpro.students.queries import count_active_students, count_with_ine, count_without_ine
from cpro.students.web.presenters import describe_no_missing_ine
from cpro.transfers.queries import count_sides


@dataclass(frozen=True)
class Consequence:
    """One line of « Ce que cela change »: `level` is ok, info, warning or blocked."""

    text: str
    level: str = "info"
    link_url: str | None = None
    link_label: str | None = None


# --- Établissement -------------------------------------------------------------------------------------------------


def describe_particulars() -> list[Consequence]:
    """Return what the particulars allow, or what the first missing ones block."""
    missing = missing_particulars(get_current_establishment())
    students = count_active_students()
    if missing:
        return _describe_missing(missing, students)
    return [Consequence("Vous pouvez créer des utilisateurs.", "ok"), _describe_passports(students)]


def _describe_passports(students: int) -> Consequence:
    if is_on(Module.PASSPORT):
        return Consequence(
            f"Les passeports de {plural(students, 'apprenant', 'apprenants')} peuvent être exportés."
            if students
            else "Les passeports des apprenants pourront être exportés.",
            "ok",
        )
    return Consequence(
        f"Le module « Passeport » est désactivé : {plural(students, 'passeport', 'passeports')} en attente."
        if students
        else "Le module « Passeport » est désactivé : aucun passeport ne peut être exporté.",
        "blocked",
    )


def _describe_missing(missing: list[MissingParticular], students: int) -> list[Consequence]:
    verb = "manque" if len(missing) == 1 else "manquent"
    what = join_french([each.label for each in missing])
    who = (
        plural(students, "apprenant ne peut pas exporter son", "apprenants ne peuvent pas exporter leur")
        if students
        else "aucun apprenant ne pourra exporter son"
    )
    return [
        Consequence(f"{upper_first(what)} {verb} : {who} passeport.", "blocked", f"#{missing[0].field}", "Compléter"),
        Consequence("Aucun nouvel utilisateur ne peut être créé.", "blocked"),
    ]


# --- Transferts ----------------------------------------------------------------------------------------------------


def describe_transfers() -> list[Consequence]:
    """Return whether transfers are on, which pupils they leave out, and the state of those in progress."""
    return [_describe_switch(), _describe_without_ine(), *_describe_sides()]


def describe_switching_off() -> list[Consequence]:
    """Return what switching transfers off stops and keeps, for the page that confirms it."""
    figures = count_sides()
    pending, done = figures.to_decide + figures.waiting, figures.received + figures.sent
    lines = [
        Consequence("Dès la validation, plus rien n’est copié, ni vers votre établissement ni depuis lui.", "blocked")
    ]
    if pending:
        lines.append(
            Consequence(
                f"{upper_first(plural(pending, 'transfert en cours s’arrête', 'transferts en cours s’arrêtent'))} : "
                "l’autre établissement, s’il a activé les transferts, lira que vous ne l’avez pas fait.",
                "blocked",
            )
        )
    kept = (
        "Ce qui a déjà été copié reste où il est : "
        f"{plural(figures.received, 'transfert reçu', 'transferts reçus')}, "
        f"{plural(figures.sent, 'envoyé', 'envoyés')}. Le délai de 30 jours pour annuler continue de courir."
        if done
        else "Ce qui a déjà été copié reste où il est ; à ce jour, rien ne l’a été."
    )
    return [
        *lines,
        Consequence(kept),
        Consequence("Si vous les activez à nouveau, la recherche reprend ; rien n’est jamais copié deux fois.", "ok"),
    ]


def describe_switching_on() -> list[str]:
    """Return what « Oui » does as soon as it is saved, shown beside it while transfers are off.

    It shows only the school's own figures: how many pupils others have must not be disclosed to it (decision 0009).
    """
    active, departed = count_with_ine(get_school_today(clock.utcnow()))
    known = [
        *([plural(active, "élève présent", "élèves présents")] if active else []),
        *([plural(departed, "ancien élève", "anciens élèves")] if departed else []),
    ]
    whom = f"vos {join_french(known)} avec INE" if known else "vos élèves (aucun n’a encore d’INE)"
    return [
        f"« Oui » agit dès que vous validez : CPro cherche aussitôt {whom} dans les établissements qui ont activé les "
        "transferts.",
        "Pour chaque élève trouvé sous la même identité, la copie de ses fiches validées, bilans et évaluations se "
        "fait dans la minute, sans autre question : chez vous s’il y est arrivé, chez l’autre s’il y est parti.",
        "Leur nombre n’est pas connu d’avance : tant que vous ne les avez pas activés, rien des autres établissements "
        "ne vous est montré. Le message qui suit « Valider » le dira.",
        "Une copie reçue s’annule chez vous pendant 30 jours ; une copie partie ne s’annule que dans l’établissement "
        "qui l’a reçue.",
    ]


def describe_without_siecle() -> list[str]:
    """Return what changes when the school answers that it does not use SIECLE, shown beside that answer."""
    return [
        "« Oui » : les élèves et les divisions viennent de SIECLE. Pour corriger un élève, même un seul, corrigez-le "
        "dans SIECLE et importez le nouvel export.",
        "« Non » est pour un établissement qui n’a pas SIECLE. Dès que vous validez, ses exports sont refusés dans "
        "« Gérer les imports », et les élèves et les divisions se créent et se corrigent à la main ou par un tableau.",
        "Vous pouvez y revenir ; à l’import suivant, SIECLE remplace ce qui aura été corrigé à la main.",
    ]


def _describe_switch() -> Consequence:
    if get_current_establishment().transfers_enabled:
        return Consequence(
            "Les transferts sont activés : les données d’un élève qui change d’établissement le suivent, "
            "si l’autre établissement les a activés aussi.",
            "ok",
        )
    return Consequence(
        "Les transferts sont désactivés : les données de vos élèves ne partent vers aucun établissement, "
        "et vous n’en recevez pas.",
        "blocked",
    )


def _describe_without_ine() -> Consequence:
    without = count_without_ine(get_school_today(clock.utcnow()))
    if not without.active and not without.departed:
        return Consequence(describe_no_missing_ine(), "ok" if count_active_students() else "info")
    who = [
        *([plural(without.active, "élève sans INE", "élèves sans INE")] if without.active else []),
        *([plural(without.departed, "ancien élève sans INE", "anciens élèves sans INE")] if without.departed else []),
    ]
    several = without.active + without.departed > 1
    verb = "ne pourront pas être transférés" if several else "ne pourra pas être transféré"
    return Consequence(
        f"{upper_first(join_french(who))} {verb}.", "warning", url_for("students.without_ine"), "Voir la liste"
    )


def _describe_sides() -> list[Consequence]:
    figures = count_sides()
    lines = []
    if figures.received or figures.sent:
        lines.append(
            Consequence(
                f"{upper_first(plural(figures.received, 'transfert reçu', 'transferts reçus'))} et "
                f"{plural(figures.sent, 'envoyé', 'envoyés')} à ce jour.",
                "ok",
            )
        )
    if figures.to_decide:
        verb = "attend votre décision" if figures.to_decide == 1 else "attendent votre décision"
        count = upper_first(plural(figures.to_decide, "transfert", "transferts"))
        lines.append(Consequence(f"{count} {verb}.", "warning", url_for("transfers.index"), "Décider"))
    if figures.waiting:
        count = upper_first(plural(figures.waiting, "transfert attend", "transferts attendent"))
        lines.append(
            Consequence(
                f"{count} l’autre établissement ou un import.",
                "info",
                url_for("transfers.index"),
                "Voir où ils en sont",
            )
        )
    return lines


# --- Masque de saisie ----------------------------------------------------------------------------------------------


def describe_masks() -> list[Consequence]:
    """Return where the wordings appear, and how many diplomas have custom ones."""
    worded = len(count_wordings_by_diploma())
    lines = [
        Consequence(
            "L’écran des scénarios et ses impressions prennent les nouveaux intitulés dès que vous validez, "
            "pour le diplôme choisi seulement."
        )
    ]
    if worded:
        plural_ending = "s ont" if worded > 1 else " a"
        lines.append(Consequence(f"{worded} diplôme{plural_ending} des intitulés propres à l’établissement.", "ok"))
    return lines


# --- Logo ----------------------------------------------------------------------------------------------------------


def describe_pictures() -> list[Consequence]:
    """Return, for the logo and the stamp, whether passports include it."""
    return [
        Consequence(f"Le {kind.label} est prêt à être imprimé sur les passeports.", "ok")
        if find_picture(kind)
        else Consequence(f"Sans {kind.label}, sa place reste vide sur les passeports.", "info")
        for kind in PictureKind
    ]


# --- Accès inspecteur ----------------------------------------------------------------------------------------------


def describe_inspectors() -> list[Consequence]:
    """Return who has access now and later, or that the module suspends all accesses."""
    running, to_come = _count_open_mandates()
    if not is_on(Module.INSPECTORS):
        return [_describe_suspended(running, to_come)]
    if not running and not to_come:
        return [Consequence("Aucun inspecteur n’a accès à l’établissement, ni maintenant ni plus tard.", "info")]
    return [
        Consequence(
            f"{plural(running, 'inspecteur a accès', 'inspecteurs ont accès')} maintenant à l’établissement"
            + (f" ; {plural(to_come, 'accès est à venir', 'accès sont à venir')}." if to_come else "."),
            "ok",
        ),
        Consequence(
            "Chaque page ouverte par un inspecteur est inscrite au journal et dans la liste de ses consultations."
        ),
    ]


def _describe_suspended(running: int, to_come: int) -> Consequence:
    is_head = can(current_principal(), Permission.MODULES_SWITCH)
    return Consequence(
        "Le module « Accès inspecteur » est désactivé : plus rien n’est ouvert à personne. "
        f"Le réactiver rendrait {_describe_mandates(running, to_come)}.",
        "blocked",
        url_for("modules.edit") if is_head else None,
        "Onglet Modules",
    )


def _describe_mandates(running: int, to_come: int) -> str:
    """Return « 2 accès en cours et 1 accès à venir », without the parts that are zero; « aucun accès » for nothing."""
    parts = [
        plural(count, f"accès {word}", f"accès {word}")
        for count, word in ((running, "en cours"), (to_come, "à venir"))
        if count
    ]
    return join_french(parts) or "aucun accès"


def _count_open_mandates() -> tuple[int, int]:
    today = get_school_today(clock.utcnow())
    return count_mandates(MandateState.RUNNING, today), count_mandates(MandateState.TO_COME, today)


# --- Conservation --------------------------------------------------------------------------------------------------


def describe_retention() -> list[Consequence]:
    """Return what the next night deletes, and what a longer or shorter period does not touch."""
    expired = get_preview(clock.utcnow()).expired
    lines = [
        Consequence(
            "Un ancien apprenant peut demander son passeport, et ses données peuvent le suivre dans un autre "
            "établissement, tant qu’elles sont conservées ici."
        ),
        Consequence("Une copie déjà reçue par un autre établissement n’est pas touchée."),
    ]
    if not expired.pupils:
        return [Consequence("Aucune donnée ne sera supprimée la nuit prochaine.", "ok"), *lines]
    return [
        Consequence(
            f"{plural(expired.records, 'enregistrement', 'enregistrements')} de "
            f"{plural(expired.pupils, 'ancien apprenant', 'anciens apprenants')} "
            f"{'sera supprimé' if expired.records == 1 else 'seront supprimés'} la nuit prochaine.",
            "warning",
            url_for("retention.edit", _anchor="prochaines")
            if can(current_principal(), Permission.RETENTION_EDIT)
            else None,
            "Voir la liste",
        ),
        *lines,
    ]


# --- Modules -------------------------------------------------------------------------------------------------------


def describe_modules() -> list[Consequence]:
    """Return which pages each module, switched off, closes, and to whom."""
    return [_describe_passport_module(), _describe_scenarios_module(), _describe_inspectors_module()]


def _describe_passport_module() -> Consequence:
    count = count_active_students()
    students = plural(count, "apprenant", "apprenants") if count else "les apprenants"
    if is_on(Module.PASSPORT):
        return Consequence(f"Désactiver « Passeport » en priverait {students} ; rien ne serait effacé.")
    deprived = "est privé" if count == 1 else "sont privés"
    return Consequence(f"Le module « Passeport » est désactivé : {students} en {deprived}.", "blocked")


def _describe_scenarios_module() -> Consequence:
    count = count_in_use()
    kept = plural(count, "scénario en cours", "scénarios en cours")
    if is_on(Module.SCENARIOS):
        closed = f"{kept} à {'son auteur' if count == 1 else 'leurs auteurs'}" if count else "ses pages"
        return Consequence(f"Désactiver « Scénarios » fermerait {closed} ; rien ne serait effacé.")
    if not count:
        waiting = "aucun scénario n’était en cours"
    else:
        waiting = f"{kept} {'attend, intact' if count == 1 else 'attendent, intacts'}, qu’il soit réactivé"
    return Consequence(
        f"Le module « Scénarios » est désactivé : {waiting}.", "blocked", url_for("modules.edit"), "Onglet Modules"
    )


def _describe_inspectors_module() -> Consequence:
    running, to_come = _count_open_mandates()
    if not is_on(Module.INSPECTORS):
        return _describe_suspended(running, to_come)
    if not running and not to_come:
        return Consequence("Aucun accès inspecteur n’est ouvert : désactiver ce module ne coupe personne.", "info")
    return Consequence(
        f"Désactiver « Accès inspecteur » suspendrait aussitôt {_describe_mandates(running, to_come)}.",
        "warning",
        url_for("inspectors.index"),
        "Voir les accès",
    )
