"""« Rechercher » in the header of every page: people, divisions, pages, help; schools for the support."""
