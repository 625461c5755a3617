"""The store's tables, as SQLAlchemy sees them; migrations/ makes them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique

SCHEMA = "0002"
"""The newest migration that this code knows; a test holds it to the scripts."""

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("request", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("linked_to", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("stage", String(64), nullable=False),
    Column("progress", Float, nullable=False),
    Column("error", Text, nullable=False),
    Column("delivery", Text),
    Column("created_s", Float, nullable=False),
    Column("updated_s", Float, nullable=False),
    Column("is_cancel_requested", Boolean, nullable=False),
    # the claim: all four NULL where nobody works on the job
    Column("worker", String(128)),
    Column("worker_host", String(255)),
    Column("worker_pid", Integer),
    Column("worker_started", String(128)),
    Column("heartbeat_s", Float),
    Column("priority", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    # how often in a row its process died under it, together with the service, before a new stage was finished
    Column("orphaned", Integer, nullable=False),
    Column("not_before_s", Float, nullable=False),
    Index("jobs_by_fingerprint", "fingerprint"),
    Index("jobs_by_state", "state", "id"),
)

stages = Table(
    "stages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("stage", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("was_reused", Boolean, nullable=False),
    Unique("job_id", "attempt", "stage", "key", name="stages_once"),
)

commands = Table(
    "commands",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Index("commands_by_job", "job_id"),
)

files = Table(
    "files",
    metadata,
    # bytes, since a file's name need not be text
    Column("path", LargeBinary, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    # digits, since file systems give numbers of more than the 63 bits that a column holds
    Column("modified_ns", String(40), nullable=False),
    Column("inode", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("job_id", String(16), nullable=False),
    Column("refused", Text, nullable=False),
)
