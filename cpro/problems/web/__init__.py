"""What knows the web in this feature: a page, its form, its words."""
