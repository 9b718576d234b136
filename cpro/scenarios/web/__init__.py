"""What knows the web in this feature: views, forms, screens, what pages show."""
