"""The rules on fiches, évaluations and bilans, and on how long they are kept."""
