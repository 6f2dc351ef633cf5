"""The pages, and what writes those parts of them that the code knows best."""
