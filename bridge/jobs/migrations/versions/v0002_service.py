"""What the background service needs: priorities, jobs that were put off, commands and files seen.

Runs before the new code. Processes of the old code that are at work meanwhile go on: the new columns have
defaults, which is what the jobs of before get, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("orphaned", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before_s", sa.Float, nullable=False, server_default="0"),
    ):
        op.add_column("jobs", column)
    op.create_table(
        "commands",
        sa.Column("client", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("job_id", sa.String(16), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("commands_by_job", "commands", ["job_id"])
    op.create_table(
        "files",
        sa.Column("path", sa.LargeBinary, primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.String(40), nullable=False),
        sa.Column("inode", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("job_id", sa.String(16), nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("files")
    op.drop_table("commands")
    for name in ("not_before_s", "orphaned", "failures", "priority"):
        op.drop_column("jobs", name)
