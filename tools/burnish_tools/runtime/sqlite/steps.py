"""The statements of the steps in `schema.py`; never changed once released."""

from __future__ import annotations

TABLES = """
CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    end_unix_ns INTEGER NOT NULL,
    instance TEXT,
    sequence INTEGER,
    python TEXT,
    sensor TEXT,
    detailed INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX windows_once ON spans (service, instance, sequence) WHERE level = 0;
CREATE UNIQUE INDEX sums_once ON spans (service, environment, release, level, start_unix_ns) WHERE level > 0;
CREATE INDEX detailed_windows ON spans (start_unix_ns) WHERE level = 0 AND detailed;
CREATE INDEX spans_in_time ON spans (service, environment, release, level, start_unix_ns);

CREATE TABLE functions (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    body TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (name, file, line, end_line, body, kind)
);
CREATE TABLE last_seen (
    function_id INTEGER NOT NULL,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    unix_ns INTEGER NOT NULL,
    PRIMARY KEY (service, environment, release, function_id)
) WITHOUT ROWID;
CREATE TABLE statements (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    system TEXT NOT NULL,
    UNIQUE (hash, text, system)
);
CREATE TABLE sites (
    id INTEGER PRIMARY KEY,
    function TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    UNIQUE (function, file, line)
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    entry TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (entry, kind)
);

CREATE TABLE entry_rows (
    span_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    wall_ns REAL NOT NULL,
    executions REAL NOT NULL,
    errors TEXT NOT NULL,
    status TEXT NOT NULL,
    wall BLOB NOT NULL,
    queries BLOB NOT NULL,
    PRIMARY KEY (span_id, entry_id)
) WITHOUT ROWID;
CREATE TABLE call_rows (
    span_id INTEGER NOT NULL,
    function_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    wall_ns REAL NOT NULL,
    own_ns REAL NOT NULL,
    queries REAL NOT NULL,
    errors TEXT NOT NULL,
    callers TEXT NOT NULL,
    wall BLOB NOT NULL,
    own BLOB NOT NULL,
    PRIMARY KEY (span_id, function_id, entry_id)
);
CREATE INDEX calls_of_function ON call_rows (function_id, span_id, entry_id, calls, wall_ns, queries);
CREATE TABLE query_rows (
    span_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    executions INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    rows_unknown INTEGER NOT NULL,
    time_ns REAL NOT NULL,
    errors TEXT NOT NULL,
    wall BLOB NOT NULL,
    PRIMARY KEY (span_id, statement_id, site_id, entry_id)
);
CREATE TABLE fan_out_rows (
    span_id INTEGER NOT NULL,
    function_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    executions REAL NOT NULL,
    identical INTEGER NOT NULL,
    time_ns REAL NOT NULL,
    per_call BLOB NOT NULL,
    PRIMARY KEY (span_id, function_id, statement_id, site_id, entry_id)
);
CREATE TABLE driver_rows (
    span_id INTEGER NOT NULL,
    function_id INTEGER NOT NULL,
    statement_id INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    driver_statement_id INTEGER NOT NULL,
    driver_site_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    sum_x REAL NOT NULL,
    sum_y REAL NOT NULL,
    sum_xx REAL NOT NULL,
    sum_xy REAL NOT NULL,
    sum_yy REAL NOT NULL,
    PRIMARY KEY (
        span_id, function_id, statement_id, site_id, entry_id, driver_statement_id, driver_site_id
    )
) WITHOUT ROWID;

CREATE TABLE marks (
    file TEXT PRIMARY KEY,
    byte INTEGER NOT NULL,
    lines INTEGER NOT NULL
);
CREATE TABLE bad_lines (
    place TEXT PRIMARY KEY,
    reason TEXT NOT NULL
);
CREATE TABLE refused (
    place TEXT PRIMARY KEY,
    format INTEGER NOT NULL,
    line BLOB NOT NULL
)
"""
DEPENDENCIES_DETAILS_SAMPLES = """
ALTER TABLE call_rows ADD COLUMN calls_variance REAL NOT NULL DEFAULT 0;
ALTER TABLE call_rows ADD COLUMN wall_variance REAL NOT NULL DEFAULT 0;
ALTER TABLE spans ADD COLUMN summed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE spans ADD COLUMN last_sequence INTEGER;
ALTER TABLE spans ADD COLUMN minute INTEGER NOT NULL DEFAULT 0;
UPDATE spans SET summed = 1, last_sequence = sequence;
UPDATE spans SET detailed = 0 WHERE level = 0;
CREATE INDEX windows_to_sum ON spans (start_unix_ns) WHERE level = 0 AND NOT summed;
CREATE INDEX windows_in_time ON spans (start_unix_ns) WHERE level = 0;

CREATE TABLE details (
    span_id INTEGER PRIMARY KEY,
    rows BLOB NOT NULL
);
CREATE TABLE points (
    function_id INTEGER NOT NULL,
    span_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    wall_ns REAL NOT NULL,
    queries REAL NOT NULL,
    PRIMARY KEY (span_id, function_id, entry_id)
) WITHOUT ROWID;
CREATE INDEX points_of_function ON points (function_id);
INSERT INTO points (function_id, span_id, entry_id, calls, wall_ns, queries)
    SELECT r.function_id, s.id, r.entry_id, r.calls, r.wall_ns, r.queries
    FROM spans s JOIN call_rows r ON r.span_id = s.id WHERE s.level = 0;
INSERT INTO points (function_id, span_id, entry_id, calls, wall_ns, queries)
    SELECT 0, s.id, r.entry_id, r.calls, r.wall_ns, r.executions
    FROM spans s JOIN entry_rows r ON r.span_id = s.id WHERE s.level = 0;
DELETE FROM entry_rows WHERE span_id IN (SELECT id FROM spans WHERE level = 0);
DELETE FROM call_rows WHERE span_id IN (SELECT id FROM spans WHERE level = 0);
DELETE FROM query_rows WHERE span_id IN (SELECT id FROM spans WHERE level = 0);
DELETE FROM fan_out_rows WHERE span_id IN (SELECT id FROM spans WHERE level = 0);
DELETE FROM driver_rows WHERE span_id IN (SELECT id FROM spans WHERE level = 0);
DROP INDEX calls_of_function;
CREATE INDEX calls_of_function ON call_rows (function_id, span_id);
CREATE INDEX call_numbers ON call_rows (span_id, function_id, entry_id, calls, wall_ns, own_ns, queries);

CREATE TABLE peers (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    peer TEXT NOT NULL,
    operation TEXT NOT NULL,
    UNIQUE (kind, peer, operation)
);
CREATE TABLE dependency_rows (
    span_id INTEGER NOT NULL,
    peer_id INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    timeouts INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    time_ns REAL NOT NULL,
    errors TEXT NOT NULL,
    wall BLOB NOT NULL,
    PRIMARY KEY (span_id, peer_id, site_id, entry_id)
);
CREATE TABLE owners (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    UNIQUE (service, environment, release)
);
CREATE TABLE samples (
    owner_id INTEGER NOT NULL,
    function_id INTEGER NOT NULL,
    start_unix_ns INTEGER NOT NULL,
    number INTEGER NOT NULL,
    looked TEXT NOT NULL,
    exemplars BLOB NOT NULL,
    PRIMARY KEY (owner_id, function_id, start_unix_ns, number)
) WITHOUT ROWID;
CREATE INDEX samples_in_time ON samples (start_unix_ns);
CREATE TABLE deployments (
    service TEXT NOT NULL,
    environment TEXT NOT NULL,
    release TEXT NOT NULL,
    unix_ns INTEGER NOT NULL,
    marked_by TEXT NOT NULL,
    PRIMARY KEY (service, environment, unix_ns, release)
) WITHOUT ROWID;
CREATE TABLE new_names (
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    day INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (service, kind, day)
) WITHOUT ROWID;
CREATE TABLE horizon (
    windows_unix_ns INTEGER NOT NULL,
    names_unix_ns INTEGER NOT NULL
);
INSERT INTO horizon VALUES (0, 0)
"""
