-- Sittings that move, are cancelled and have a size; candidates who are put right, withdraw, or get another attempt.
-- What was changed, by whom and why, stands in `change`; `version` lets the second of two editors know of the first.

ALTER TABLE sitting ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE sitting ADD COLUMN capacity INTEGER CHECK (capacity > 0);
ALTER TABLE sitting ADD COLUMN cancelled_at INTEGER;
ALTER TABLE sitting ADD COLUMN cancel_reason TEXT;

-- A second attempt of the same person in one sitting needs another key than (sitting, identity), and SQLite changes a
-- key only by a new table. Rows of `hold` and `erasure` point into it: with the keys deferred their parents may be
-- away until the end of this transaction.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE candidate_before AS SELECT * FROM candidate;
DROP TABLE candidate;
CREATE TABLE candidate (
    session       BLOB    NOT NULL PRIMARY KEY CHECK (length(session) = 16),
    centre        BLOB    NOT NULL,
    sitting       BLOB    NOT NULL,
    place         INTEGER NOT NULL CHECK (place >= 0),
    name          TEXT    NOT NULL,
    identity      TEXT    NOT NULL,
    extra_minutes INTEGER NOT NULL,
    switched_off  TEXT    NOT NULL CHECK (json_valid(switched_off)),
    wrapped_key   BLOB    NOT NULL,
    attempt       INTEGER NOT NULL DEFAULT 1 CHECK (attempt > 0),
    version       INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
    email         TEXT,
    extra_pct     INTEGER,
    breaks        INTEGER NOT NULL DEFAULT 0 CHECK (breaks IN (0, 1)),
    hearing_aid   INTEGER NOT NULL DEFAULT 0 CHECK (hearing_aid IN (0, 1)),
    note          TEXT,
    withdrawn_at  INTEGER,
    withdraw_reason TEXT,
    voided_at     INTEGER,
    void_ground   TEXT,
    void_reason   TEXT,
    replaces      BLOB    REFERENCES candidate (session),
    UNIQUE (sitting, identity, attempt),
    UNIQUE (sitting, place),
    FOREIGN KEY (sitting, centre) REFERENCES sitting (id, centre),
    CHECK ((withdrawn_at IS NULL) = (withdraw_reason IS NULL)),
    CHECK ((voided_at IS NULL) = (void_ground IS NULL) AND (voided_at IS NULL) = (void_reason IS NULL))
) STRICT;
INSERT INTO candidate (session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key)
    SELECT session, centre, sitting, place, name, identity, extra_minutes, switched_off, wrapped_key
    FROM candidate_before;
DROP TABLE candidate_before;
CREATE UNIQUE INDEX candidate_replaces ON candidate (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX candidate_centre ON candidate (centre, sitting, place);

-- Append-only: what a field said before and after.
CREATE TABLE change (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    centre  BLOB    NOT NULL REFERENCES centre (id),
    staff   BLOB    NOT NULL REFERENCES staff (id),
    subject BLOB    NOT NULL CHECK (length(subject) = 16),
    field   TEXT    NOT NULL,
    old     TEXT    NOT NULL,
    new     TEXT    NOT NULL,
    reason  TEXT    NOT NULL
) STRICT;
CREATE INDEX change_subject ON change (subject, id);

CREATE TRIGGER change_is_never_edited BEFORE UPDATE ON change
BEGIN SELECT RAISE(ABORT, 'change is append-only'); END;
CREATE TRIGGER change_is_never_deleted BEFORE DELETE ON change
BEGIN SELECT RAISE(ABORT, 'change is append-only'); END;
