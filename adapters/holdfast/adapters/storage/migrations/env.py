"""What Alembic runs: the migrations, on the connection and in the transaction that `migrate` holds."""

from __future__ import annotations

from alembic import context

from holdfast.adapters.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
