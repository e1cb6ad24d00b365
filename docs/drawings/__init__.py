"""The functions that draw the pictures of the course; `docs/pictures.py` runs them."""
