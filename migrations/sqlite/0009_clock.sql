-- How the server's clock stood beside others, again and again: what an auditor needs to believe the times of a record.
CREATE TABLE clock_mark (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    ahead_ms  INTEGER,
    within_ms INTEGER,
    why       TEXT
) STRICT;
CREATE INDEX clock_mark_at ON clock_mark (at);
