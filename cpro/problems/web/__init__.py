"""The web layer of the feature: a page, its form, its texts."""
