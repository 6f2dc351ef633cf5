"""The web page: static files that a browser runs, and what a server has to know to hand them out."""
