"""« Chiffres de l’année »: levels, pending fiches and passports, by division and diploma, compared with last year."""
