"""« Nouveautés »: what happened for the signed-in person since they last read: from journal, records and mandates.

Only the time until which each person has read is stored: the content and the recipients follow from `kinds` and
`records`.
"""
