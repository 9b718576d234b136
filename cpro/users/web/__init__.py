"""The web layer of the feature: views, forms, screens and presenters."""
