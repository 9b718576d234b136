"""The web layer of the feature: views, forms, screens, page fragments."""
