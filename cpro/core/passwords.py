"""Passwords: strength rules and hashing.

The required strength is the CNIL's, deliberation 2022-100 of 21 July 2022, for accounts whose attempts are
throttled: 50 bits for most people; accounts that see a whole school need the 80 bits required of a password used
alone. The hash follows OWASP's Argon2id profile (19 MiB, two passes, one lane).
"""

from __future__ import annotations

import gzip
import re
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from cpro.core.capacity import Capacity
from cpro.core.errors import DomainError
from cpro.core.formatting import join_french, plural
from cpro.core.validators import fold

#: Longer passwords are refused: hashing is slow on purpose, and must not be used to overload the server.
PASSWORD_MAX_LENGTH = 200

_ORDINARY_LENGTH = 8
_ORDINARY_KINDS = 3
_PRIVILEGED_LENGTH = 12
_PRIVILEGED_LENGTH_WITHOUT_SPECIAL = 14
_PASSPHRASE_WORDS = 7

_UPPER = "une majuscule"
_LOWER = "une minuscule"
_DIGIT = "un chiffre"
_SPECIAL = "un caractère spécial"
_KINDS = (_UPPER, _LOWER, _DIGIT, _SPECIAL)

# The most frequent passwords of published stolen lists, French and English, folded and letters only: digits and
# punctuation around them change nothing. « qwer » and « azer » are 1q2w3e4r and 1a2z3e4r.
_COMMON = frozenset(
    """
    azer azerty azertyuiop aqwzsx qsdfgh qsdfghjklm wxcvbn qwer qwert qwerty qwertyuiop qwertz qazwsx qazwsxedc
    asdf asdfgh asdfghjkl zxcvbn zxcvbnm abc abcd abcde abcdef abcdefg abcdefgh
    password passe pass passw passwort motdepasse monmotdepasse mdp secret letmein welcome bienvenue changeme
    changezmoi changermoi admin administrateur administrator root user utilisateur test demo invite guest login
    lycee ecole college eleve apprenant apprenti professeur prof enseignant proviseur rentree vacances cpro passeport
    bonjour salut coucou soleil loulou doudou chouchou chocolat jetaime iloveyou amour mamour moncoeur princesse
    princess marseille paris france lyon football foot rugby pokemon naruto starwars superman batman dragon monkey
    sunshine shadow master hello baseball michael jordan nicolas camille liverpool freedom trustno
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    printemps ete automne hiver summer winter spring autumn lundi mardi mercredi jeudi vendredi samedi dimanche
    """.split()
)
#: 34 756 passwords from stolen lists, French and English, folded; sources: common_passwords.md.
_PUBLISHED = Path(__file__).with_name("common_passwords.txt.gz")
_LOOK_ALIKES = str.maketrans("@4301!5$7", "aaeoiisst")

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def _generate_hash() -> str:
    """Return a hash that matches no password, in the same form as the others, without the cost of computing one."""
    salt, digest = (b64encode(secrets.token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


# Verified when there is no account, so that the answer takes as long as for a wrong password.
_DUMMY_HASH = _generate_hash()


#: One process verifies two passwords at a time, 19 MiB each: many sign-ins neither fill the memory nor delay pages. A
#: slot is taken before the attempt is counted.
VERIFYING = Capacity(2, patience=3.0)


class WeakPassword(DomainError):
    """A password is too weak; the message says what it lacks."""


def password_rule(privileged: bool) -> str:
    """Return the French help shown under the field, which states the rules of `check_password`."""
    if privileged:
        rule = (
            f"Au moins {_PRIVILEGED_LENGTH} caractères avec une majuscule, une minuscule, un chiffre et un caractère "
            f"spécial, ou au moins {_PRIVILEGED_LENGTH_WITHOUT_SPECIAL} caractères si le caractère spécial manque"
        )
    else:
        rule = (
            f"Au moins {_ORDINARY_LENGTH} caractères, avec trois de ces quatre sortes : majuscule, minuscule, chiffre, "
            "caractère spécial"
        )
    return (
        f"{rule} ; ou bien une phrase d’au moins {_PASSPHRASE_WORDS} mots différents de trois lettres ou plus. "
        "N’y mettez ni votre nom, ni votre identifiant, ni un mot de passe courant."
    )


def check_password(password: str, *, privileged: bool, words_about_person: Sequence[str]) -> None:
    """Raise WeakPassword unless the password is strong enough for the account.

    `privileged` accounts: administrator, head, support, inspector. `words_about_person`: login, names, school's code
    and the like; those of four characters or more, and their parts, must not be found in the password.
    """
    password = unicodedata.normalize("NFC", password)
    if len(password) > PASSWORD_MAX_LENGTH:
        raise WeakPassword(
            f"Ce mot de passe compte {plural(len(password), 'caractère', 'caractères')}, le maximum est "
            f"{PASSWORD_MAX_LENGTH}. Choisissez-en un plus court."
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        raise WeakPassword(
            "Ce mot de passe contient un caractère de contrôle invisible. Tapez-le au clavier au lieu de le coller."
        )
    if not _is_passphrase(password):
        lacking = _lacking_for_privileged(password) if privileged else _lacking_for_ordinary(password)
        if lacking:
            raise WeakPassword(f"Ce mot de passe est trop faible. {lacking}")
    if _is_common(password):
        raise WeakPassword(
            "Ce mot de passe est l’un des plus courants, même suivi de chiffres : il serait essayé en premier. "
            "Choisissez-en un autre."
        )
    for word in _parts(words_about_person):
        if word in fold(password):
            raise WeakPassword(
                f"Ce mot de passe contient « {word} », facile à deviner à votre sujet. Choisissez-en un autre."
            )


def hash_password(password: str) -> str:
    """Return the Argon2id hash of the password, including its parameters and salt."""
    return _HASHER.hash(_encoded(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password matches the hash; without a hash, take as long and return False.

    Raises argon2's InvalidHashError when the stored value is not a hash: that is a defect, not a wrong password.
    """
    if len(password) > PASSWORD_MAX_LENGTH:
        # No account can have it; truncated, to avoid hashing a very long text.
        password_hash, password = None, password[:PASSWORD_MAX_LENGTH]
    try:
        _HASHER.verify(password_hash or _DUMMY_HASH, _encoded(password))
    except VerifyMismatchError:
        return False
    return bool(password_hash)


def needs_rehash(password_hash: str) -> bool:
    """Return whether the hash has outdated parameters and must be recomputed at the next sign-in."""
    return _HASHER.check_needs_rehash(password_hash)


def _encoded(password: str) -> bytes:
    """Return the bytes to hash: NFC, since a Mac and a PC encode « é » differently; any text, even ill-formed."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _missing_kinds(password: str) -> list[str]:
    present = {_kind(char) for char in password}
    return [kind for kind in _KINDS if kind not in present]


def _kind(char: str) -> str:
    if char.isupper():
        return _UPPER
    if char.islower():
        return _LOWER
    return _DIGIT if char in "0123456789" else _SPECIAL


def _missing_characters(password: str, length: int) -> str:
    missing = length - len(password)
    return f"au moins {plural(missing, 'caractère', 'caractères')} de plus" if missing > 0 else ""


def _lacking_for_ordinary(password: str) -> str:
    """Return in French what is missing for 50 bits, or ""."""
    absent = _missing_kinds(password)
    wanted = _ORDINARY_KINDS - (len(_KINDS) - len(absent))
    sentences = []
    if characters := _missing_characters(password, _ORDINARY_LENGTH):
        sentences.append(f"Il lui faut {characters}.")
    if wanted > 0:
        count = ("un", "deux", "trois")[wanted - 1]
        sentences.append(f"Il lui faut {count} de ces éléments : {', '.join(absent)}.")
    return " ".join(sentences)


def _lacking_for_privileged(password: str) -> str:
    """Return in French what is missing for 80 bits, or ""."""
    absent = _missing_kinds(password)
    if absent == [_SPECIAL] and len(password) >= _PRIVILEGED_LENGTH_WITHOUT_SPECIAL:
        return ""
    characters = _missing_characters(password, _PRIVILEGED_LENGTH)
    lacking = [characters, *absent] if characters else absent
    if not lacking:
        return ""
    return (
        f"Il lui faut {join_french(lacking)}. Un mot de passe de {_PRIVILEGED_LENGTH_WITHOUT_SPECIAL} caractères peut "
        f"se passer de caractère spécial ; une phrase d’au moins {_PASSPHRASE_WORDS} mots différents convient aussi."
    )


def _is_passphrase(password: str) -> bool:
    """Return whether the password has enough different words of three letters or more (« a a a a a a a » has none)."""
    return len(set(re.findall(r"[^\W\d_]{3,}", fold(password)))) >= _PASSPHRASE_WORDS


def _is_common(password: str) -> bool:
    folded = fold(password)
    stem = re.sub(r"[^a-z]+$", "", folded)  # the « 1! » at the end does not replace letters
    readings = (folded, stem.translate(_LOOK_ALIKES))
    return _is_published(folded) or any(re.sub(r"[^a-z]", "", text) in _COMMON for text in readings)


def _is_published(folded: str) -> bool:
    """Return whether a password is published, or one of the first thousand published with digits or signs around it."""
    exact, stems = _read_published()
    return re.sub(r"^[\W_]+|[\W_]+$", "", folded) in exact or re.sub(r"^[\W\d_]+|[\W\d_]+$", "", folded) in stems


@cache
def _read_published() -> tuple[frozenset[str], frozenset[str]]:
    """Return the passwords refused as they are, and those refused with any digits and signs around them (« word* »)."""
    lines = gzip.decompress(_PUBLISHED.read_bytes()).decode().split("\n")
    stems = frozenset(line.removesuffix("*") for line in lines if line.endswith("*"))
    return frozenset(line for line in lines if not line.endswith("*")), stems


def _parts(words: Sequence[str]) -> Iterator[str]:
    """Yield each word whole and in parts (« jean-pierre » gives « pierre » too), folded, of four characters or more."""
    for word in map(fold, words):
        yield from (part for part in (word.strip(), *re.split(r"[\W_]+", word)) if len(part) >= 4)
