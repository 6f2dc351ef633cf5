"""Schema migrations, run by Alembic inside one transaction of ours. `migrate` is the only way in."""
