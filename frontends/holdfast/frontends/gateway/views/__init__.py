"""Served projections: each view is folded once, however many frontends look at it."""
