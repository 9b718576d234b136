"""Suggestions on the page of the particulars; other values may be typed."""

#: Kinds of establishments that offer vocational courses.
SCHOOL_KINDS = (
    "Lycée professionnel",
    "Lycée polyvalent",
    "Lycée des métiers",
    "Section d’enseignement professionnel",
    "CFA",
    "EREA",
    "MFR",
    "Lycée agricole",
    "Lycée maritime",
    "GRETA",
)

#: The académies of France, as the ministry names them (thirty since Caen and Rouen became Normandie in 2020).
ACADEMIES = (
    "Aix-Marseille",
    "Amiens",
    "Besançon",
    "Bordeaux",
    "Clermont-Ferrand",
    "Corse",
    "Créteil",
    "Dijon",
    "Grenoble",
    "Guadeloupe",
    "Guyane",
    "La Réunion",
    "Lille",
    "Limoges",
    "Lyon",
    "Martinique",
    "Mayotte",
    "Montpellier",
    "Nancy-Metz",
    "Nantes",
    "Nice",
    "Normandie",
    "Orléans-Tours",
    "Paris",
    "Poitiers",
    "Reims",
    "Rennes",
    "Strasbourg",
    "Toulouse",
    "Versailles",
)
