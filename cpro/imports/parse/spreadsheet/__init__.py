"""Tables for schools without SIECLE: the template offered, and its completed form, as CSV or XLSX."""
