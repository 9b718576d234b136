"""Pages of the support: outcome of the last imports, e-mails and jobs, and look-up of an error page by number.

`school_choice.py` is the page where the support, and inspectors, choose the school that they enter.
"""
