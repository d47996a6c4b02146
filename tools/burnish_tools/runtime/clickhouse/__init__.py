"""The dataset in ClickHouse: past one machine. The server adds histograms up; collectors only write."""

from burnish_tools.runtime.clickhouse.connection import connect
from burnish_tools.runtime.clickhouse.runtime import ClickHouseRuntime
from burnish_tools.runtime.clickhouse.store import ClickHouseStore

__all__ = ["ClickHouseRuntime", "ClickHouseStore", "connect"]
