"""The web layer shared by all features: views, forms, screens and presenters."""
