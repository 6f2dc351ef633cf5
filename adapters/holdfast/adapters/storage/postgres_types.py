"""The types of PostgreSQL that SQLAlchemy has no general name for: its dialect is loaded where one speaks to a server.

That is two megabytes which a daemon over a file would hold for nothing.
"""

from __future__ import annotations

from sqlalchemy.types import UserDefinedType


class TSVECTOR(UserDefinedType[str]):
    """The words of a text, as an index takes them."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return its name in SQL."""
        return "TSVECTOR"


class TSQUERY(UserDefinedType[str]):
    """What is looked for in such words."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return its name in SQL."""
        return "TSQUERY"
