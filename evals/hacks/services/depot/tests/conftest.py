import pytest

from depot.database import engine
from depot.models import Base
from depot.sample_data import fill


@pytest.fixture(scope="session", autouse=True)
def rows():
    Base.metadata.drop_all(engine)
    fill(customers=10, articles=30, orders=60)
