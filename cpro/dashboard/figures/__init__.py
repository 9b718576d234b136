"""« Chiffres de l’année »: levels, fiches that wait and passports, by division and by diploma, and a year before."""
