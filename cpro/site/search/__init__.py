"""« Rechercher » in the head of every page: people, divisions, pages, help; schools for the support."""
