"""What people type, brought to the one form we store, or refused in a French sentence that says what to do.

Every `normalise_…` function takes the text typed, returns "" for a blank one (whether a field may stay blank is
another rule's business) and raises a subclass of `InvalidValue` otherwise. Digits are [0-9]: \\d would also let
Arabic or full-width digits through, and they would then match nothing in an import.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from email_validator import EmailNotValidError, validate_email

from cpro.core.errors import DomainError
from cpro.core.formatting import format_count

#: Limits in characters, shared with the columns.
EMAIL_MAX_LENGTH = 254
WEBSITE_MAX_LENGTH = 255
CNIL_REGISTER_MIN_LENGTH, CNIL_REGISTER_MAX_LENGTH = 3, 60

#: Zones in which the schools of the Republic live: IANA name → what people call the place.
TIMEZONES: Mapping[str, str] = {
    "Europe/Paris": "France métropolitaine",
    "America/Guadeloupe": "Guadeloupe",
    "America/Martinique": "Martinique",
    "America/Cayenne": "Guyane",
    "America/Miquelon": "Saint-Pierre-et-Miquelon",
    "Indian/Reunion": "La Réunion",
    "Indian/Mayotte": "Mayotte",
    "Pacific/Noumea": "Nouvelle-Calédonie",
    "Pacific/Tahiti": "Polynésie française",
    "Pacific/Wallis": "Wallis-et-Futuna",
}

#: First segments of our own addresses, which a school's code would hide.
RESERVED_CODES = frozenset(
    "connexion deconnexion activation mot-de-passe-oublie mon-compte ecoles admin scenarios eleves passeport "
    "mon-passeport verifier aide mentions sante static uploads favicon robots accueil api".split()
)

CNILReferenceKind = Literal["declaration", "registre"]

# Control characters other than ordinary white space, lone surrogates, bidirectional overrides and isolates (which
# make a text read otherwise than it is stored), and the two code points that XML and so XLSX forbid.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# Soft hyphen, zero-width space, direction marks, word joiner, byte order mark: they come along in a paste, unseen.
# The zero-width joiner stays: emoji are made of it.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015]")

_KEY_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # 23 letters: I, O and Q read too much like digits
_RNIE_DIGITS = "ABCDEFGHJK"  # a digit of the RNIE key, written as a letter

# ITU-T E.164: country codes of one and two digits are listed, every other has three.
_INTERNATIONAL_PHONE = re.compile(
    r"\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9]{2})([0-9]{6,12})"
)
# Country codes of the French numbering plan: nine digits follow, and the 0 dialled at home is dropped.
_FRENCH_COUNTRY_CODES = frozenset({"33", "262", "590", "594", "596"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]{1,5}(?:[/?#]|$))")
_UNSAFE_IN_ADDRESS = re.compile(r"[\s<>\"\\^`{|}]")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")

# Letters that Unicode does not decompose, and the apostrophes people type for one another.
_FOLDED_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "‘": "'", "ʼ": "'"}
)


class InvalidValue(DomainError):
    """Refuse what was typed in a field; the form or the import knows which one."""


class InvalidText(InvalidValue):
    """Refuse a text that is too long or holds characters nobody can see."""


class InvalidUAI(InvalidValue):
    """Refuse an establishment number whose form or key letter is wrong."""


class InvalidEmail(InvalidValue):
    """Refuse an e-mail address."""


class InvalidPhone(InvalidValue):
    """Refuse a phone number."""


class InvalidPostalCode(InvalidValue):
    """Refuse a postal code."""


class InvalidWebsite(InvalidValue):
    """Refuse the address of a web site."""


class InvalidCNILReference(InvalidValue):
    """Refuse the reference that allows transfers."""


class InvalidINE(InvalidValue):
    """Refuse a national pupil number."""


class InvalidTimezone(InvalidValue):
    """Refuse a time zone that is not offered."""


class InvalidSchoolCode(InvalidValue):
    """Refuse the word that stands for a school in its address."""


class INEKind(enum.Enum):
    """Families of national pupil numbers; values are the French labels."""

    BEA = "numéro d’avant 2018 (BEA)"
    RNIE = "numéro du répertoire national (RNIE)"
    APPRENTICE = "numéro d’apprenti"
    OTHER = "autre numéro"


def clean_text(text: str, *, max_length: int, label: str = "") -> str:
    """Return a single line in NFC, without unseen characters, its runs of white space folded to one space.

    `max_length` counts code points, as the columns do; `label` is the field's, put before the sentence.
    Raises InvalidText for control characters, lone surrogates, bidirectional overrides, and over `max_length`.
    """
    if _FORBIDDEN.search(text):
        raise InvalidText(
            _labelled(label, "Le texte contient un caractère de contrôle invisible. Retapez-le au lieu de le coller.")
        )
    line = " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", text)).split())
    if len(line) > max_length:
        raise InvalidText(
            _labelled(
                label,
                f"Le texte compte {format_count(len(line))} caractères, le maximum est {format_count(max_length)}."
                " Raccourcissez-le.",
            )
        )
    return line


def uai_key(digits: str) -> str:
    """Return the key letter of the seven digits of a UAI: their remainder by 23 in an alphabet without I, O and Q.

    Source: BO n° 37 of 2008, whose numbers all fit. Raises ValueError for anything but seven ASCII digits.
    """
    if not re.fullmatch(r"[0-9]{7}", digits):
        raise ValueError(f"a UAI has seven digits before its key, not {digits!r}")
    return _KEY_LETTERS[int(digits) % 23]


def normalise_uai(text: str) -> str:
    """Return the UAI in capitals, without spaces, dots or hyphens; raises InvalidUAI."""
    uai = _compact(text)
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


def normalise_email(text: str) -> str:
    """Return the address with its domain in lower case, as email-validator does; raises InvalidEmail.

    The part before the @ is ASCII: the mail servers of the academies do not take any other (SMTPUTF8), and an accent
    there is a typing error. Nothing is asked of the network.
    """
    address = _trim(text)
    if not address:
        return ""
    if len(address) > EMAIL_MAX_LENGTH:
        raise InvalidEmail(
            f"L’adresse électronique compte {format_count(len(address))} caractères,"
            f" le maximum est {EMAIL_MAX_LENGTH}. Vérifiez-la."
        )
    try:
        result = validate_email(address, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidEmail(_explain_email(address)) from error
    return result.normalized


def normalise_phone(text: str) -> str:
    """Return « 01 23 45 67 89 » for a French number, « +687 123456 » for one with a country code.

    Spaces, dots, hyphens and parentheses are dropped, 00 stands for +. Raises InvalidPhone.
    """
    number = _trim(text)
    if not number:
        return ""
    if number.startswith(("+", "00")):
        # « +32 (0)2 … »: the 0 between parentheses is the one that is not dialled from abroad.
        number = re.sub(r"\(\s*0\s*\)", "", number)
    number = re.sub(r"^00", "+", re.sub(r"[()]", "", _compact(number)))
    if re.fullmatch(r"0[1-9][0-9]{8}", number):
        return _pairs(number)
    match = _INTERNATIONAL_PHONE.fullmatch(number)
    if not match:
        raise InvalidPhone(
            "Le numéro de téléphone doit compter dix chiffres et commencer par 0, par exemple 01 23 45 67 89, "
            "ou commencer par l’indicatif du pays, par exemple +687 12 34 56."
        )
    country_code, digits = match.groups()
    if country_code not in _FRENCH_COUNTRY_CODES:
        return f"+{country_code} {digits}"
    digits = digits.removeprefix("0")
    if not re.fullmatch(r"[1-9][0-9]{8}", digits):
        raise InvalidPhone(
            f"Après +{country_code}, le numéro de téléphone compte neuf chiffres, sans le 0 du début : vérifiez-le."
        )
    return _pairs(f"0{digits}") if country_code == "33" else f"+{country_code} {digits}"


def normalise_postal_code(text: str) -> str:
    """Return the five digits, without spaces; raises InvalidPostalCode."""
    code = re.sub(r"\s", "", _trim(text))
    if code and not re.fullmatch(r"[0-9]{5}", code):
        raise InvalidPostalCode("Le code postal compte cinq chiffres, par exemple 95000 : vérifiez-le.")
    return code


def normalise_website(text: str) -> str:
    """Return an http or https address, https:// added when nothing was typed before the host; raises InvalidWebsite.

    The host is stored in ASCII (punycode), so that a look-alike letter shows.
    """
    address = _trim(text)
    if not address:
        return ""
    if _UNSAFE_IN_ADDRESS.search(address) or _FORBIDDEN.search(address):
        raise InvalidWebsite("L’adresse du site ne doit contenir ni espace, ni guillemet, ni chevron : retapez-la.")
    if not _SCHEME.match(address):
        address = f"https://{address}"
    elif not re.match(r"https?://", address, re.IGNORECASE | re.ASCII):
        raise InvalidWebsite("L’adresse du site doit commencer par https:// ou http:// : corrigez-la.")
    website = _rebuilt_website(address)
    if len(website) > WEBSITE_MAX_LENGTH:
        raise InvalidWebsite(
            f"L’adresse du site compte {format_count(len(website))} caractères, le maximum est {WEBSITE_MAX_LENGTH}."
            " Donnez celle de la page d’accueil."
        )
    return website


def normalise_cnil_reference(text: str, kind: CNILReferenceKind) -> str:
    """Return a declaration as « 1679866 v 0 » (or its digits alone), a register reference as a clean line.

    A declaration has 6 or 7 digits and perhaps a version, as in the CNIL's open data of past formalities.
    Raises InvalidCNILReference.
    """
    if kind == "registre":
        reference = clean_text(text, max_length=CNIL_REGISTER_MAX_LENGTH, label="Référence du registre")
        if reference and len(reference) < CNIL_REGISTER_MIN_LENGTH:
            raise InvalidCNILReference(
                f"La référence du registre compte au moins {CNIL_REGISTER_MIN_LENGTH} caractères : complétez-la."
            )
        return reference
    compact = re.sub(r"\s", "", _trim(text))
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
    """Return the INE in capitals without spaces; raises InvalidINE.

    Only the form is checked, eleven characters as in the ministry's import schema 3.1; see `is_ine_key_doubtful`.
    """
    ine = re.sub(r"\s", "", _trim(text))
    if ine and not re.fullmatch(r"[0-9A-Za-z_]{11}", ine):
        raise InvalidINE("L’INE compte onze chiffres ou lettres sans accent : vérifiez-le dans SIECLE.")
    return ine.upper()


def ine_kind(ine: str) -> INEKind:
    """Return the family of a normalised INE, from its form alone."""
    if re.fullmatch(r"[0-9]{10}[A-Z]", ine):
        return INEKind.BEA
    if re.fullmatch(r"[0-9]{9}[A-Z]{2}", ine):
        return INEKind.RNIE
    if re.fullmatch(r"[0-9]{4}A[0-9]{5}[A-Z]", ine):
        return INEKind.APPRENTICE
    return INEKind.OTHER


def is_ine_key_doubtful(ine: str) -> bool:
    """Tell whether the key of a normalised INE disagrees with its digits; False for the kinds whose key is unknown.

    A reason to warn, never to refuse: no specification of the RNIE key is public, and this rule was inferred
    from published samples (97 less the remainder by 97, its two digits written as letters).
    """
    kind = ine_kind(ine)
    if kind is INEKind.BEA:
        return ine[10] != _KEY_LETTERS[int(ine[:10]) % 23]
    if kind is INEKind.RNIE:
        return ine[9:] != rnie_key(ine[:9])
    return False


def rnie_key(digits: str) -> str:
    """Return the two letters that should follow the nine digits of an RNIE (see `is_ine_key_doubtful`)."""
    tens, units = divmod(97 - int(digits) % 97, 10)
    return _RNIE_DIGITS[tens] + _RNIE_DIGITS[units]


def normalise_timezone(text: str) -> str:
    """Return the IANA name if it is one of `TIMEZONES`; raises InvalidTimezone."""
    name = _trim(text)
    if name and name not in TIMEZONES:
        raise InvalidTimezone("Ce fuseau horaire n’est pas proposé : choisissez-en un dans la liste.")
    return name


def normalise_school_code(text: str) -> str:
    """Return the code in lower case: 2 to 32 letters, digits or hyphens, a letter first; raises InvalidSchoolCode."""
    code = _trim(text)
    if not code:
        return ""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,31}", code):
        raise InvalidSchoolCode(
            "Le code de l’établissement compte de 2 à 32 lettres sans accent, chiffres ou tirets, et commence par une "
            "lettre, par exemple lp-gallieni : corrigez-le."
        )
    code = code.lower()
    if code in RESERVED_CODES:
        raise InvalidSchoolCode(f"Le code « {code} » est réservé au fonctionnement du site : choisissez-en un autre.")
    return code


def fold(text: str) -> str:
    """Return the text in lower case without accents or ligatures, for searching and for logins."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def _trim(text: str) -> str:
    return _UNSEEN.sub("", text).strip()


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", _trim(text))


def _labelled(label: str, sentence: str) -> str:
    return f"{label} : {sentence[0].lower()}{sentence[1:]}" if label else sentence


def _pairs(ten_digits: str) -> str:
    return " ".join(ten_digits[start : start + 2] for start in range(0, 10, 2))


def _explain_email(address: str) -> str:
    """Say what a person can see of the mistake; the library's own reasons are in English."""
    before, _, after = address.partition("@")
    if address.count("@") != 1 or not before or not after:
        reason = "doit contenir une arobase (@), et une seule, entre deux textes"
    elif re.search(r"\s", address):
        reason = "ne doit pas contenir d’espace"
    elif "." not in after:
        reason = "est incomplète : il manque un point après l’arobase"
    elif not before.isascii():
        reason = "ne doit pas contenir d’accent avant l’arobase"
    else:
        reason = "n’est pas valable"
    return f"L’adresse électronique {reason}. Elle doit ressembler à prenom.nom@ac-lyon.fr."


def _rebuilt_website(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError as error:
        raise InvalidWebsite("L’adresse du site n’est pas lisible : recopiez celle du navigateur.") from error
    if "@" in parts.netloc:
        raise InvalidWebsite("L’adresse du site ne doit contenir ni identifiant ni mot de passe : retirez-les.")
    if not _HOST.fullmatch(host):
        raise InvalidWebsite("L’adresse du site doit contenir un nom de domaine, par exemple www.lycee.fr.")
    return urlunsplit(parts._replace(netloc=host + port))
