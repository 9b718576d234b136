"""Forms of the pages, and their choices; no rule is validated here."""
