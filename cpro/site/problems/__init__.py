"""« Décrire un problème »: a message to whoever runs the platform, from where it is met."""
