"""Tables for schools without SIECLE: the template we offer, and what comes back filled in, as CSV or XLSX."""
