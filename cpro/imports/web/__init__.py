"""The web layer of this feature: views, forms, screens, page content."""
