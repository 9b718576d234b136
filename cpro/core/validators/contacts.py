"""Contact details of a school or a person: e-mail, telephone, postal code, web site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from email_validator import EmailNotValidError, validate_email

from cpro.core.formatting import format_count
from cpro.core.validators.base import InvalidValue, check_visible, compact, trim

#: Maximum lengths in characters, shared with the columns.
EMAIL_MAX_LENGTH = 254
WEBSITE_MAX_LENGTH = 255

# ITU-T E.164: country codes of one and two digits are listed, all others have three.
_INTERNATIONAL_PHONE = re.compile(
    r"\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9][0-9]{2})([0-9]{6,12})"
)
# Country codes of the French numbering plan: followed by nine digits, without the 0 of national calls.
_FRENCH_COUNTRY_CODES = frozenset({"33", "262", "590", "594", "596"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]{1,5}(?:[/?#]|$))")
_UNSAFE_IN_ADDRESS = re.compile(r"[\s<>\"\\^`{|}]")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class InvalidEmail(InvalidValue):
    """An e-mail address is invalid."""


class InvalidPhone(InvalidValue):
    """A phone number is invalid."""


class InvalidPostalCode(InvalidValue):
    """A postal code is invalid."""


class InvalidWebsite(InvalidValue):
    """A web site's URL is invalid."""


def normalise_email(text: str) -> str:
    """Return the address with its domain in lower case, in punycode if internationalised. Raises InvalidEmail.

    The part before the @ must be ASCII: the academies' mail servers accept no other (SMTPUTF8), and an accent there
    is a typing error. No network request is made.
    """
    check_visible(text, InvalidEmail)
    address = trim(text)
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
    if "=?" in address:  # an encoded word (RFC 2047): a mail's header would be read as what it stands for
        raise InvalidEmail(_explain_email(address))
    return result.ascii_email or result.normalized


def normalise_phone(text: str) -> str:
    """Return « 01 23 45 67 89 » for a French number, « +687 123456 » for one with a country code.

    Spaces, dots, hyphens and parentheses are removed, 00 means +. Raises InvalidPhone.
    """
    check_visible(text, InvalidPhone)
    number = trim(text)
    if not number:
        return ""
    if number.startswith(("+", "00")):
        # « +32 (0)2 … »: the 0 in parentheses is not dialled from abroad.
        number = re.sub(r"\(\s*0\s*\)", "", number)
    number = re.sub(r"^00", "+", re.sub(r"[()]", "", compact(number)))
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
    check_visible(text, InvalidPostalCode)
    code = re.sub(r"\s", "", trim(text))
    if code and not re.fullmatch(r"[0-9]{5}", code):
        raise InvalidPostalCode("Le code postal compte cinq chiffres, par exemple 95000 : vérifiez-le.")
    return code


def normalise_website(text: str) -> str:
    """Return an http or https URL, with https:// added when no scheme was typed. Raises InvalidWebsite.

    The host is stored in ASCII (punycode), which reveals look-alike letters.
    """
    check_visible(text, InvalidWebsite)
    address = trim(text)
    if not address:
        return ""
    if _UNSAFE_IN_ADDRESS.search(address):
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


def _pairs(ten_digits: str) -> str:
    return " ".join(ten_digits[start : start + 2] for start in range(0, 10, 2))


def _explain_email(address: str) -> str:
    """Return a French sentence on what is visibly wrong; the library's own reasons are in English."""
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
