"""The Flask-Admin instance, the frame and the menu of every page, help and notices."""
