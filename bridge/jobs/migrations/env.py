"""Alembic's entry: runs inside the connection and transaction that ``bridge.jobs.database`` holds.

For a new migration, ``alembic revision`` is not used: copy the newest file in versions/, and raise
tables.SCHEMA.
"""

from alembic import context

from bridge.jobs.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite has it; Alembic assumes it has not
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
