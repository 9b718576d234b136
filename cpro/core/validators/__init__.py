"""Normalise users' input to a single stored form, or refuse it in a French sentence that says what to do.

Every `normalise_…` function takes the text typed, returns "" for a blank one (whether a field may be blank is
checked elsewhere) and raises a subclass of `InvalidValue` when it is invalid. Digits are [0-9]: \\d would also
accept Arabic or full-width digits, which would then match nothing in an import.
"""

from __future__ import annotations

from cpro.core.validators.base import InvalidValue, trim
from cpro.core.validators.contacts import (
    EMAIL_MAX_LENGTH,
    WEBSITE_MAX_LENGTH,
    InvalidEmail,
    InvalidPhone,
    InvalidPostalCode,
    InvalidWebsite,
    normalise_email,
    normalise_phone,
    normalise_postal_code,
    normalise_website,
)
from cpro.core.validators.numbers import (
    CNIL_REGISTER_MAX_LENGTH,
    CNIL_REGISTER_MIN_LENGTH,
    CNILReferenceKind,
    INEKind,
    InvalidCNILReference,
    InvalidINE,
    InvalidMEF,
    InvalidUAI,
    ine_kind,
    is_ine_filler,
    is_ine_key_doubtful,
    normalise_cnil_reference,
    normalise_ine,
    normalise_mef,
    normalise_uai,
    rnie_key,
    uai_key,
)
from cpro.core.validators.printable import (
    describe_unprintable,
    find_unprintable,
)
from cpro.core.validators.text import (
    RESERVED_CODES,
    TIMEZONES,
    GarbledText,
    InvalidSchoolCode,
    InvalidText,
    InvalidTimezone,
    clean_mailed_text,
    clean_person_name,
    clean_text,
    fold,
    looks_like_school,
    normalise_school_code,
    normalise_timezone,
    read_line,
)

__all__ = [
    "CNIL_REGISTER_MAX_LENGTH",
    "CNIL_REGISTER_MIN_LENGTH",
    "EMAIL_MAX_LENGTH",
    "RESERVED_CODES",
    "TIMEZONES",
    "WEBSITE_MAX_LENGTH",
    "CNILReferenceKind",
    "GarbledText",
    "INEKind",
    "InvalidCNILReference",
    "InvalidEmail",
    "InvalidINE",
    "InvalidMEF",
    "InvalidPhone",
    "InvalidPostalCode",
    "InvalidSchoolCode",
    "InvalidText",
    "InvalidTimezone",
    "InvalidUAI",
    "InvalidValue",
    "InvalidWebsite",
    "clean_mailed_text",
    "clean_person_name",
    "clean_text",
    "describe_unprintable",
    "find_unprintable",
    "fold",
    "ine_kind",
    "is_ine_filler",
    "is_ine_key_doubtful",
    "looks_like_school",
    "normalise_cnil_reference",
    "normalise_email",
    "normalise_ine",
    "normalise_mef",
    "normalise_phone",
    "normalise_postal_code",
    "normalise_school_code",
    "normalise_timezone",
    "normalise_uai",
    "normalise_website",
    "read_line",
    "rnie_key",
    "trim",
    "uai_key",
]
