"""Official numbers: UAI, INE, MEF, CNIL references."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Literal

from cpro.core.validators.base import InvalidValue, check_visible, compact, trim
from cpro.core.validators.text import clean_text

CNIL_REGISTER_MIN_LENGTH, CNIL_REGISTER_MAX_LENGTH = 3, 60
CNILReferenceKind = Literal["declaration", "registre"]

_INE_LENGTH = 11
_DIGITS_IN_ORDER = "01234567890123456789 98765432109876543210"
#: In a text that also has a digit: without any digit, it is not an INE.
_FILLER_WORDS = ("CONNU", "SANSINE", "SANSNUM", "AUCUN", "NEANT", "ABSENT", "VIDE", "TEST")
_KEY_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # 23 letters: I, O and Q look too much like digits
_RNIE_DIGITS = "ABCDEFGHJK"  # the digits of the RNIE key, written as letters
_RNIE_KEYS = [_RNIE_DIGITS[(97 - rest) // 10] + _RNIE_DIGITS[(97 - rest) % 10] for rest in range(97)]


class InvalidUAI(InvalidValue):
    """A UAI's format or key letter is wrong."""


class InvalidCNILReference(InvalidValue):
    """The CNIL reference that allows transfers is invalid."""


class InvalidINE(InvalidValue):
    """An INE is invalid."""


class InvalidMEF(InvalidValue):
    """A MEF code is invalid."""


class INEKind(enum.Enum):
    """Families of INE; values are the French labels."""

    BEA = "numéro d’avant 2018 (BEA)"
    RNIE = "numéro du répertoire national (RNIE)"
    APPRENTICE = "numéro d’apprenti"
    OTHER = "autre numéro"


def uai_key(digits: str) -> str:
    """Return the key letter of a UAI's seven digits: their remainder modulo 23, in an alphabet without I, O and Q.

    Source: BO n° 37 of 2008, all of whose numbers agree. Raises ValueError for anything but seven ASCII digits.
    """
    if not re.fullmatch(r"[0-9]{7}", digits):
        raise ValueError(f"a UAI has seven digits before its key, not {digits!r}")
    return _KEY_LETTERS[int(digits) % 23]


def normalise_uai(text: str) -> str:
    """Return the UAI in capitals, without spaces, dots or hyphens. Raises InvalidUAI."""
    check_visible(text, InvalidUAI)
    uai = compact(text)
    if not uai:
        return ""
    if not re.fullmatch(r"[0-9]{7}[A-Za-z]", uai):
        raise InvalidUAI("L’UAI se compose de sept chiffres et d’une lettre, par exemple 0570109J : vérifiez-la.")
    digits, letter = uai[:7], uai[7].upper()
    expected = uai_key(digits)
    if letter != expected:
        raise InvalidUAI(
            "UAI refusée : la lettre de contrôle ne correspond pas aux chiffres ; vérifiez les sept chiffres et la "
            f"lettre (après {digits}, la lettre attendue est {expected})."
        )
    return digits + letter


def normalise_cnil_reference(text: str, kind: CNILReferenceKind) -> str:
    """Return a declaration as « 1679866 v 0 » (or its digits alone), a register reference as a clean line.

    A declaration has 6 or 7 digits and an optional version, as in the CNIL's open data on past formalities. Raises
    InvalidCNILReference.
    """
    if kind == "registre":
        reference = clean_text(text, max_length=CNIL_REGISTER_MAX_LENGTH, label="Référence du registre")
        if reference and len(reference) < CNIL_REGISTER_MIN_LENGTH:
            raise InvalidCNILReference(
                f"La référence du registre compte au moins {CNIL_REGISTER_MIN_LENGTH} caractères : complétez-la."
            )
        return reference
    compact = re.sub(r"\s", "", trim(text))
    if not compact:
        return ""
    match = re.fullmatch(r"([0-9]{6,7})(?:[vV]([0-9]{1,3}))?", compact)
    if not match:
        raise InvalidCNILReference(
            "Le numéro de déclaration CNIL compte 6 ou 7 chiffres, suivis au besoin d’une version, par exemple "
            "« 1679866 v 0 » : vérifiez-le sur le récépissé."
        )
    number, version = match.groups()
    return number if version is None else f"{number} v {int(version)}"


def normalise_ine(text: str) -> str:
    """Return the INE in capitals, without spaces. Raises InvalidINE.

    Only its format is checked (eleven characters, as in the ministry's import schema 3.1), and that it is not a
    filler; see `is_ine_key_doubtful`.
    """
    ine = re.sub(r"\s", "", trim(text))
    if is_ine_filler(ine):
        raise InvalidINE("Ce texte tient lieu d’INE mais n’en est pas un : laissez la place vide.")
    if ine and not re.fullmatch(r"[0-9A-Za-z_]{11}", ine):
        raise InvalidINE("L’INE compte onze chiffres ou lettres sans accent : vérifiez-le dans SIECLE.")
    return ine.upper()


def is_ine_filler(text: str) -> bool:
    """Return whether a text is a filler for a missing INE, typed so that the column is not empty.

    One sign or a group of up to three repeated, all the same but one, consecutive digits, the first eight the same,
    or a word. Such a number would be given to several students, and compared between schools.
    """
    ine = re.sub(r"\s", "", trim(text)).upper()
    if not ine:
        return False
    if not re.search(r"\d", ine) or any(word in ine for word in _FILLER_WORDS):
        return True
    if len(ine) != _INE_LENGTH:
        return len(set(ine)) == 1
    is_repeated = any((ine[:length] * _INE_LENGTH)[:_INE_LENGTH] == ine for length in (1, 2, 3))
    return is_repeated or 1 in (len(set(ine[:8])), len(set(ine[1:]))) or ine[:9] in _DIGITS_IN_ORDER


def normalise_mef(text: str) -> str:
    """Return the code of a course (MEF) in capitals, without spaces. Raises InvalidMEF.

    Eleven digits or capitals: the last one may be a letter (GEPI).
    """
    code = compact(text).upper()
    if code and not re.fullmatch(r"[0-9A-Z]{11}", code):
        raise InvalidMEF("Le code MEF compte onze chiffres ou lettres, par exemple 24725510310 : vérifiez-le.")
    return code


def ine_kind(ine: str) -> INEKind:
    """Return the family of a normalised INE, from its format alone."""
    for kind, form, _key in _INE_FORMS:
        if form.fullmatch(ine):
            return kind
    return INEKind.OTHER


def is_ine_key_doubtful(ine: str) -> bool:
    """Return whether the key of a normalised INE disagrees with its digits; False for families whose key is unknown.

    A reason to warn, never to refuse: there is no public specification of the RNIE key, and this rule was inferred
    from published samples (97 minus the remainder modulo 97, its two digits written as letters).
    """
    for _kind, form, key_of in _INE_FORMS:
        match = form.fullmatch(ine)
        if match:
            return key_of is not None and match[2] != key_of(match[1])
    return False


def rnie_key(digits: str) -> str:
    """Return the expected two-letter key of an RNIE's nine digits (see `is_ine_key_doubtful`)."""
    return _RNIE_KEYS[int(digits) % 97]


def _bea_key(digits: str) -> str:
    return _KEY_LETTERS[int(digits) % 23]


#: Each with its digits and, if known, how to compute its key; the most common first, and no text matches two.
_INE_FORMS: tuple[tuple[INEKind, re.Pattern[str], Callable[[str], str] | None], ...] = (
    (INEKind.RNIE, re.compile(r"([0-9]{9})([A-Z]{2})"), rnie_key),
    (INEKind.BEA, re.compile(r"([0-9]{10})([A-Z])"), _bea_key),
    (INEKind.APPRENTICE, re.compile(r"[0-9]{4}A[0-9]{5}[A-Z]"), None),
)
