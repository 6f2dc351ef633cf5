"""Writing a SQLite file anew, so that what was taken out of it is neither in it any more nor takes room there."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.adapters.storage.writer import WriteTransaction


def write_anew(transaction: WriteTransaction) -> str | None:
    """Write the file anew; return where the old content is still, in words, or None for nowhere.

    No transaction may contain it, so this job's own is ended first and begun again. Takes time and space by the size of
    the file.
    """
    driver = transaction.connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("ROLLBACK")
    try:
        driver.execute("VACUUM")
        busy, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        return "the disk has no room to write the store anew; free some, and the same command again removes it"
    finally:
        driver.execute("BEGIN IMMEDIATE")
    if busy:
        return "the store's write-ahead log, which a reader still uses; the same command again removes it"
    return None
