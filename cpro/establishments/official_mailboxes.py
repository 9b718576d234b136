"""The official mailbox of a public school, computed from its UAI with a closed table.

Each school of national education has a mailbox that its académie opened and gave to its head's office: `ce.` and the
UAI, in the mail domain of the académie. The first three digits of a UAI are the département, so the address follows
from the UAI alone, and its reader was given it by the académie.

The table is valid for public schools (lycées professionnels, polyvalents, collèges, EREA) of the 30 académies of
national education, in the départements of metropolitan France and the five overseas ones. It is not valid for schools
of agriculture or of the sea, for a CFA that is not part of a lycée, for the overseas collectivities (975, 977, 978, 983
to 988), for schools abroad, nor for demonstrations (099): they have no such mailbox, and `find_official_mailbox`
returns None. A private school may have one or not, and some mailboxes of a merged académie may have another name: the
académie's server refuses a message to an address that does not exist, and it reaches no one else.
"""

from __future__ import annotations

#: Mail domain of each académie, and its départements: the first three digits of their schools' UAI. Corsica has 620 and
#: 720 since it is two départements.
_DEPARTMENTS_BY_DOMAIN = {
    "ac-aix-marseille.fr": ("004", "005", "013", "084"),
    "ac-amiens.fr": ("002", "060", "080"),
    "ac-besancon.fr": ("025", "039", "070", "090"),
    "ac-bordeaux.fr": ("024", "033", "040", "047", "064"),
    "ac-clermont.fr": ("003", "015", "043", "063"),
    "ac-corse.fr": ("620", "720"),
    "ac-creteil.fr": ("077", "093", "094"),
    "ac-dijon.fr": ("021", "058", "071", "089"),
    "ac-grenoble.fr": ("007", "026", "038", "073", "074"),
    "ac-guadeloupe.fr": ("971",),
    "ac-guyane.fr": ("973",),
    "ac-lille.fr": ("059", "062"),
    "ac-limoges.fr": ("019", "023", "087"),
    "ac-lyon.fr": ("001", "042", "069"),
    "ac-martinique.fr": ("972",),
    "ac-mayotte.fr": ("976",),
    "ac-montpellier.fr": ("011", "030", "034", "048", "066"),
    "ac-nancy-metz.fr": ("054", "055", "057", "088"),
    "ac-nantes.fr": ("044", "049", "053", "072", "085"),
    "ac-nice.fr": ("006", "083"),
    "ac-normandie.fr": ("014", "027", "050", "061", "076"),
    "ac-orleans-tours.fr": ("018", "028", "036", "037", "041", "045"),
    "ac-paris.fr": ("075",),
    "ac-poitiers.fr": ("016", "017", "079", "086"),
    "ac-reims.fr": ("008", "010", "051", "052"),
    "ac-rennes.fr": ("022", "029", "035", "056"),
    "ac-reunion.fr": ("974",),
    "ac-strasbourg.fr": ("067", "068"),
    "ac-toulouse.fr": ("009", "012", "031", "032", "046", "065", "081", "082"),
    "ac-versailles.fr": ("078", "091", "092", "095"),
}
#: Mail domain of the académie of each département, by the first three digits of a UAI.
DOMAINS = {department: domain for domain, departments in _DEPARTMENTS_BY_DOMAIN.items() for department in departments}


def find_official_mailbox(uai: str | None) -> str | None:
    """Return the mailbox that the académie gave to the school of a UAI, or None where the table does not apply."""
    domain = DOMAINS.get((uai or "")[:3])
    return f"ce.{(uai or '').lower()}@{domain}" if domain else None
