"""Pages of the support: outcome of the last imports, e-mails and jobs, and look-up of an error page by number.

The list of schools itself is `cpro/users/web/views/users.py`, with the facts of `schools.py`.
"""
