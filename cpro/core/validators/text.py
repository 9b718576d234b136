"""Single lines of text, values chosen from a list, and reserved words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from cpro.core.formatting import format_count
from cpro.core.validators.base import FORBIDDEN, INVISIBLE, UNSEEN, InvalidValue, trim
from cpro.core.validators.mojibake import repair_text
from cpro.core.validators.printable import describe_unprintable, find_unprintable

#: Time zones of French schools: IANA name → the usual name of the place.
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

#: First segments of our own URLs, with which a school's code would conflict.
RESERVED_CODES = frozenset(
    "connexion deconnexion activation mot-de-passe-oublie mon-compte ecoles admin scenarios eleves passeport "
    "adresse mon-passeport passeports verifier aide plan-du-site mentions metrics sante static uploads favicon robots "
    "accueil api recherche probleme nouveautes".split()
)


#: Maximum characters of a text quoted in a sentence.
_QUOTED = 60

#: Vietnamese puts two marks on a letter, linguists three.
_PILED_MARKS = re.compile("[\u0300-\u036f]{4,}")
#: The address of a site, as mail programs turn it into a link.
_SITE = re.compile(r"://|\bwww\.", re.IGNORECASE)
#: What a mail program makes a link of all the same: words joined by a dot.
_DOMAIN = re.compile(r"\w\.(?:xn--|[^\W\d_]{2})", re.IGNORECASE)

#: Nearly all accents of decomposed letters, removed faster this way than one by one.
_USUAL_ACCENTS = re.compile("[\u0300-\u034e\u0350-\u036f]+")
# Letters that Unicode does not decompose, and the variants of the apostrophe.
_FOLDED_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "'", "‘": "'", "ʼ": "'"}
)


class InvalidText(InvalidValue):
    """A text is too long or contains forbidden characters."""


class GarbledText(InvalidText):
    """A text was decoded with the wrong encoding; `suggestion` is the repaired text, "" when letters are lost."""

    def __init__(self, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.suggestion = suggestion


class InvalidTimezone(InvalidValue):
    """A time zone is not one of `TIMEZONES`."""


class InvalidSchoolCode(InvalidValue):
    """A school's code, used in its URL, is invalid."""


def clean_text(text: str, *, max_length: int, label: str = "") -> str:
    """Return a single line in NFC, without invisible characters, with each run of white space replaced by one space.

    `max_length` counts code points, as the columns do; `label` is the field's, put before the sentence. Raises
    GarbledText for a text decoded with the wrong encoding; InvalidText for control characters, lone surrogates,
    bidirectional overrides, characters that no document can print, or a text over `max_length`.
    """
    repaired = repair_text(text)
    if repaired != text:
        raise GarbledText(_labelled(label, _garbled(text, repaired or "")), repaired or "")
    if FORBIDDEN.search(text):
        raise InvalidText(_labelled(label, INVISIBLE))
    line = " ".join(unicodedata.normalize("NFC", UNSEEN.sub("", text)).split())
    if not line.isascii() and (_PILED_MARKS.search(unicodedata.normalize("NFD", line)) or _holds_unassigned(line)):
        raise InvalidText(
            _labelled(label, "Le texte contient des signes que l’on ne tape pas. Retapez-le au lieu de le coller.")
        )
    unprintable = find_unprintable(line)
    if unprintable:
        raise InvalidText(_labelled(label, describe_unprintable(unprintable)))
    if len(line) > max_length:
        raise InvalidText(
            _labelled(
                label,
                f"Le texte compte {format_count(len(line))} caractères, le maximum est {format_count(max_length)}."
                " Raccourcissez-le.",
            )
        )
    return line


def clean_mailed_text(text: str, *, max_length: int) -> str:
    """Return a clean line that our messages may quote to people outside the school.

    Raises InvalidText like `clean_text`, and for the address of a site, complete or not: readers would trust it in a
    message of ours.
    """
    line = clean_text(text, max_length=max_length)
    if _SITE.search(_as_read(line)) or _DOMAIN.search(_as_read(line)):
        raise InvalidText(
            "Ce texte est cité dans des messages\u202f: écrivez-le sans adresse de site ni adresse électronique, et "
            "avec un espace après chaque point."
        )
    return line


def clean_person_name(text: str, *, max_length: int = 100) -> str:
    """Return a person's name as a clean line.

    Raises InvalidText like `clean_text`, for a name without a letter, and for the complete address of a site: files
    join names by a dot (« ST.MARTIN »).
    """
    name = clean_text(text, max_length=max_length)
    if _SITE.search(name):
        raise InvalidText("Un nom ne contient pas l’adresse d’un site\u202f: écrivez le nom seul.")
    if name and not any(sign.isalpha() for sign in name):
        raise InvalidText(f"« {name} » ne contient aucune lettre : écrivez le nom.")
    return name


def _as_read(line: str) -> str:
    """Return a line as mail programs may read it: signs that look alike are one, invisible ones are gone."""
    shown = "".join(sign for sign in line if unicodedata.category(sign) != "Cf")
    return unicodedata.normalize("NFKC", shown)


def _holds_unassigned(line: str) -> bool:
    return any(unicodedata.category(char) == "Cn" for char in line)


def read_line(
    values: Mapping[str, str],
    name: str,
    max_length: int,
    errors: dict[str, str],
    *,
    required: str = "",
    clean: Callable[..., str] = clean_text,
) -> str:
    """Return a posted line of text, or "" with the reason of its refusal added to `errors` under its name."""
    try:
        line = clean(values.get(name) or "", max_length=max_length)
    except InvalidText as refusal:
        errors[name] = refusal.message
        return ""
    if required and not line:
        errors[name] = required
    return line


def normalise_timezone(text: str) -> str:
    """Return the IANA name if it is in `TIMEZONES`. Raises InvalidTimezone."""
    name = trim(text)
    if name and name not in TIMEZONES:
        raise InvalidTimezone("Ce fuseau horaire n’est pas proposé : choisissez-en un dans la liste.")
    return name


def looks_like_school(text: str) -> bool:
    """Return whether a text has the format of a school's code or UAI, in any case; the school need not exist."""
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,31}|[0-9]{7}[A-Za-z]", text))


def normalise_school_code(text: str) -> str:
    """Return the code in lower case: 2 to 32 letters, digits or hyphens, starting with a letter.

    Raises InvalidSchoolCode.
    """
    code = trim(text)
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
    """Return the text in lower case, without accents or ligatures, for searching and for logins."""
    plain = text.casefold().translate(_FOLDED_LETTERS)
    if plain.isascii():
        return plain
    decomposed = _USUAL_ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    if not decomposed.isascii():
        decomposed = "".join(char for char in decomposed if not unicodedata.combining(char))
    return decomposed.casefold()


def _garbled(text: str, repaired: str) -> str:
    if not repaired:
        return "Des lettres du texte sont perdues (« \ufffd ») : retapez-le."
    return f"Le texte « {text[:_QUOTED]} » est mal encodé, sans doute « {repaired[:_QUOTED]} » : retapez-le."


def _labelled(label: str, sentence: str) -> str:
    return f"{label} : {sentence[0].lower()}{sentence[1:]}" if label else sentence
