"""Pages of the support: outcome of the last imports, e-mails and jobs, and look-up of an error page by number."""
