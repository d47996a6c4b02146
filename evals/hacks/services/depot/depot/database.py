"""The engine; DATABASE_URL names the database."""

import os

from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL") or "sqlite:///depot.sqlite3")
Session = sessionmaker(engine)
