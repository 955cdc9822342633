"""Alembic's environment: the models' metadata, the database of `DATABASE_URL`, no other state."""

import os

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine

from courier_api.db import Base
from courier_api.models import all_models

assert all_models
url = os.environ["DATABASE_URL"]


def include_object(obj: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """Leave PostGIS's own tables alone."""
    if type_ == "table" and reflected and name not in Base.metadata.tables:
        return False
    return bool(alembic_helpers.include_object(obj, name, type_, reflected, compare_to))


engine = create_engine(url)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
