"""Rules about one person in a file, whatever the file: clean values, add findings to the given list.

Each `check_…` takes raw texts and adds its findings; if it cleans, it returns what is to be stored ("" or None if
nothing can be).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from cpro.core.formatting import format_date, join_french, plural
from cpro.core.validators import GarbledText, InvalidText, fold, is_ine_key_doubtful
from cpro.imports.parse.findings import Finding, FindingCode
from cpro.imports.parse.values import (
    DIVISION_CODE_MAX_LENGTH,
    FILLER,
    MALFORMED,
    clean_division_code,
    clean_label,
    clean_mef,
    clean_name,
    is_altered_by_spreadsheet,
)

#: Schools keep departed pupils in a division of this name.
_INACTIVE_DIVISION = "inactifs"
_LINES_SHOWN = 5
#: Ages of pupils, including adult trainees; beyond, the year was probably mistyped.
_YOUNGEST, _OLDEST = 11, 70

DateParser = Callable[[str], dt.date]


def check_names(
    line: int, last_name: str, usage_name: str, first_name: str, findings: list[Finding]
) -> tuple[str, str, str]:
    """Return the three names; the usage name is "" when it equals the family name.

    Find NAME_MISSING, NAME_REFUSED, TEXT_REPAIRED.
    """
    try:
        cleaned = clean_name(last_name), clean_name(usage_name) if usage_name else "", clean_name(first_name)
    except InvalidText:
        cleaned = "", "", ""
    if cleaned[0] and cleaned[2]:  # the usual case
        return cleaned if cleaned[1] != cleaned[0] else (cleaned[0], "", cleaned[2])
    last = _name(line, last_name, "Le nom de famille", findings)
    usage = _name(line, usage_name, "Le nom d’usage", findings)
    first = _name(line, first_name, "Le prénom", findings)
    for text, label in ((last, "Le nom de famille"), (first, "Le prénom")):
        if text == "":
            sentence = f"{label} est absent : complétez-le là où le fichier a été fait."
            findings.append(Finding(FindingCode.NAME_MISSING, line, sentence))
    return last or "", "" if usage == last else usage or "", first or ""


def check_ine(line: int, ine: str, problem: str, lines_of_ine: Sequence[int], findings: list[Finding]) -> None:
    """Find INE_MISSING, INE_FILLER, INE_MALFORMED, INE_DUPLICATE or INE_DOUBTFUL; `problem` comes from `effective_ine`.

    A wrong check key alone never makes an INE invalid.
    """
    if lines_of_ine:
        sentence = (
            f"Cet INE est porté par plusieurs élèves {_lines(lines_of_ine)} : aucune de ces lignes n’est reprise."
        )
        findings.append(Finding(FindingCode.INE_DUPLICATE, line, sentence))
    if ine:
        if is_ine_key_doubtful(ine):
            sentence = "La clé de l’INE ne correspond pas à ses chiffres : vérifiez-le."
            findings.append(Finding(FindingCode.INE_DOUBTFUL, line, sentence))
    elif problem == FILLER:
        sentence = "Ce qui tient lieu d’INE n’en est pas un : il n’est pas repris."
        findings.append(Finding(FindingCode.INE_FILLER, line, sentence))
    elif problem == MALFORMED:
        sentence = "L’INE ne compte pas onze chiffres ou lettres : corrigez-le là où le fichier a été fait."
        findings.append(Finding(FindingCode.INE_MALFORMED, line, sentence))
    else:
        sentence = "L’INE est absent : le dossier ne pourra pas être transféré."
        findings.append(Finding(FindingCode.INE_MISSING, line, sentence))


def check_birth_date(
    line: int, text: str, parse: DateParser, today: dt.date, findings: list[Finding]
) -> dt.date | None:
    """Return the birth date. Find BIRTH_DATE_MISSING, AGE_UNLIKELY, or DATE_MALFORMED (future dates included)."""
    if not text:
        findings.append(Finding(FindingCode.BIRTH_DATE_MISSING, line, "La date de naissance est absente."))
        return None
    try:
        birth_date = parse(text)
    except ValueError:
        birth_date = None
    if birth_date and birth_date > today:
        sentence = "La date de naissance est à venir : corrigez l’année."
        findings.append(Finding(FindingCode.DATE_MALFORMED, line, sentence))
        return None
    if birth_date is None:
        sentence = "La date de naissance n’existe pas ou n’est pas écrite jj/mm/aaaa : corrigez-la."
        findings.append(Finding(FindingCode.DATE_MALFORMED, line, sentence))
        return None
    age = today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
    if not _YOUNGEST <= age <= _OLDEST:
        sentence = f"L’élève aurait {plural(age, 'an', 'ans')} : vérifiez l’année de naissance."
        findings.append(Finding(FindingCode.AGE_UNLIKELY, line, sentence))
    return birth_date


def check_leaving_date(
    line: int, text: str, parse: DateParser, today: dt.date, findings: list[Finding]
) -> tuple[dt.date | None, bool]:
    """Return the leaving date and whether it is past or today. Find DATE_MALFORMED, LEAVING_LATER."""
    if not text:
        return None, False
    try:
        departed_on = parse(text)
    except ValueError:
        sentence = "La date de sortie n’existe pas ou n’est pas écrite jj/mm/aaaa : corrigez-la."
        findings.append(Finding(FindingCode.DATE_MALFORMED, line, sentence))
        return None, False
    if departed_on > today:
        sentence = f"Le départ est annoncé pour le {format_date(departed_on)} : l’élève reste présent d’ici là."
        findings.append(Finding(FindingCode.LEAVING_LATER, line, sentence))
        return departed_on, False
    return departed_on, True


def check_division(
    line: int,
    text: str,
    further: Sequence[str],
    has_departed: bool,
    findings: list[Finding],
    *,
    max_length: int = DIVISION_CODE_MAX_LENGTH,
) -> str:
    """Return the division's code. Find WITHOUT_CLASS, TWO_DIVISIONS, INACTIVE_DIVISION.

    DIVISION_MALFORMED or DIVISION_ALTERED refuse the line.
    """
    if not text:
        if not has_departed:
            sentence = "Aucune division n’est indiquée : l’élève n’est pas encore inscrit dans une division."
            findings.append(Finding(FindingCode.WITHOUT_CLASS, line, sentence))
        return ""
    if is_altered_by_spreadsheet(text):
        sentence = (
            f"Le tableur a pris le code de la division, devenu « {text[:20]} », pour un nombre ou une date : mettez la "
            "colonne au format Texte, puis retapez le code."
        )
        findings.append(Finding(FindingCode.DIVISION_ALTERED, line, sentence))
        return ""
    code = clean_division_code(text, max_length=max_length)
    if code is None:
        sentence = f"Le code de la division est illisible ou dépasse {max_length} caractères : corrigez-le."
        findings.append(Finding(FindingCode.DIVISION_MALFORMED, line, sentence))
        return ""
    if code[0] in "iI" and fold(code) == _INACTIVE_DIVISION:
        sentence = "L’élève est rangé dans la division des inactifs : il est traité comme un élève sans division."
        findings.append(Finding(FindingCode.INACTIVE_DIVISION, line, sentence))
        return ""
    if further:
        others = join_french([f"« {other[:DIVISION_CODE_MAX_LENGTH]} »" for other in further[:_LINES_SHOWN]])
        sentence = f"Plusieurs divisions sont indiquées : « {code} » est retenue, {others} laissée de côté."
        findings.append(Finding(FindingCode.TWO_DIVISIONS, line, sentence))
    return code


def check_mef(line: int, text: str, findings: list[Finding]) -> str:
    """Return the MEF code, "" when absent. Find MEF_MALFORMED."""
    if not text:
        return ""
    code = clean_mef(text)
    if code is None:
        sentence = "Le code MEF ne compte pas onze chiffres ou lettres : la formation est à rattacher."
        findings.append(Finding(FindingCode.MEF_MALFORMED, line, sentence))
    return code or ""


def check_label(line: int, text: str, findings: list[Finding]) -> str:
    """Return the label, "" with LABEL_REFUSED. Find TEXT_REPAIRED."""
    try:
        return _cleaned(line, text, clean_label, "Le libellé", findings)
    except InvalidText as error:
        findings.append(Finding(FindingCode.LABEL_REFUSED, line, f"Le libellé n’est pas repris. {error.message}"))
        return ""


def check_id(
    line: int,
    number: str | None,
    lines_of_id: Sequence[int],
    name: str,
    findings: list[Finding],
    *,
    bearers: str = "élèves",
) -> None:
    """Find ID_MISSING or ID_DUPLICATE; `name` is the label of the number, `bearers` the people who have one."""
    if not number:
        sentence = f"Le numéro {name} est absent ou illisible : la ligne ne peut être rapprochée de personne."
        findings.append(Finding(FindingCode.ID_MISSING, line, sentence))
    if lines_of_id:
        sentence = (
            f"Ce numéro {name} est porté par plusieurs {bearers} {_lines(lines_of_id)} : aucune de ces lignes n’est "
            "reprise."
        )
        findings.append(Finding(FindingCode.ID_DUPLICATE, line, sentence))


def _name(line: int, text: str, label: str, findings: list[Finding]) -> str | None:
    """Return the name, "" when absent, None when refused."""
    try:
        return _cleaned(line, text, clean_name, label, findings)
    except InvalidText as error:
        findings.append(Finding(FindingCode.NAME_REFUSED, line, f"{label} n’est pas repris. {error.message}"))
        return None


def _cleaned(line: int, text: str, clean: Callable[[str], str], label: str, findings: list[Finding]) -> str:
    """Return the cleaned text, repaired first if the repair is certain (TEXT_REPAIRED). Raises InvalidText."""
    try:
        return clean(text)
    except GarbledText as error:
        if not error.suggestion:
            raise
        cleaned = clean(error.suggestion)
        sentence = f"{label} est mal encodé dans le fichier : il est repris réparé, vérifiez-le."
        findings.append(Finding(FindingCode.TEXT_REPAIRED, line, sentence))
        return cleaned


def _lines(lines: Sequence[int]) -> str:
    shown = [str(line) for line in lines[:_LINES_SHOWN]]
    return f"(lignes {join_french(shown)}{', …' if len(lines) > _LINES_SHOWN else ''})"
