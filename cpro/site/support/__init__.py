"""What the support looks up: how the last imports, e-mails and jobs went, and the error page of a number."""
