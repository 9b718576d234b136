"""« Nouveautés »: what happened for whoever is signed in since they last read: from journal, records and mandates.

Nothing is kept but until when each person has read: what is told, and to whom, follows from `kinds` and `records`.
"""
