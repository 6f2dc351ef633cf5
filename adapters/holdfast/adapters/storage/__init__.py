"""The log and its views in SQLite and Postgres: writer, readers, subscriptions, integrity. The only user of SQL."""
