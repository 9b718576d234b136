"""« Nouveautés » read from the records of pupils rather than from the journal."""
