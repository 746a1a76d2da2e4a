-- Ids are 16-byte UUIDs, times integer milliseconds UTC, digests 32-byte SHA-256.

-- Append-only rowid table with a small index: clustering by stream would dirty one page per event of a batch.
CREATE TABLE event (
    id     INTEGER PRIMARY KEY,
    stream BLOB    NOT NULL CHECK (length(stream) = 16),
    seq    INTEGER NOT NULL CHECK (seq > 0),
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    body   TEXT    NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    UNIQUE (stream, seq)
) STRICT;

-- The right to append: the one row names the process that may write; a take-over raises the epoch.
CREATE TABLE lease (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    node     BLOB    NOT NULL CHECK (length(node) = 16),
    epoch    INTEGER NOT NULL CHECK (epoch > 0),
    taken_at INTEGER NOT NULL
) STRICT;

-- When the holder of each lease was last alive: downtime of ours is never charged to a candidate.
CREATE TABLE node_mark (
    epoch INTEGER PRIMARY KEY,
    node  BLOB    NOT NULL CHECK (length(node) = 16),
    at    INTEGER NOT NULL
) STRICT;

-- Where each session stands; follows from its events and is written with them.
CREATE TABLE summary (
    session     BLOB    PRIMARY KEY CHECK (length(session) = 16),
    state       TEXT    NOT NULL,
    finish      TEXT,
    outcome     TEXT,
    correct     INTEGER,
    total       INTEGER,
    warnings    INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    live        INTEGER NOT NULL CHECK (live IN (0, 1))
) STRICT;
CREATE INDEX summary_live ON summary (session) WHERE live = 1;

CREATE TABLE record (
    id        INTEGER PRIMARY KEY,
    session   BLOB    NOT NULL UNIQUE CHECK (length(session) = 16),
    payload   BLOB    NOT NULL,
    sha256    BLOB    NOT NULL CHECK (length(sha256) = 32),
    jws       TEXT    NOT NULL,
    kid       TEXT    NOT NULL,
    sealed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE approval (
    id      INTEGER PRIMARY KEY,
    session BLOB    NOT NULL REFERENCES record (session),
    jws     TEXT    NOT NULL
) STRICT;
CREATE INDEX approval_session ON approval (session);

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY,
    message      BLOB    NOT NULL UNIQUE CHECK (length(message) = 16),
    session      BLOB    NOT NULL CHECK (length(session) = 16),
    kind         TEXT    NOT NULL CHECK (kind IN ('record', 'approval')),
    body         TEXT    NOT NULL,
    sha256       BLOB    NOT NULL CHECK (length(sha256) = 32),
    created_at   INTEGER NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'accepted', 'refused')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    settled_at   INTEGER,
    why          TEXT,
    receipt      TEXT,
    platform_ref TEXT,
    CHECK ((state = 'accepted') = (receipt IS NOT NULL))
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX outbox_session ON outbox (session);

CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;
CREATE TRIGGER record_is_never_edited BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'record is append-only'); END;
CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'record is append-only'); END;
CREATE TRIGGER approval_is_never_edited BEFORE UPDATE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
CREATE TRIGGER approval_is_never_deleted BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'approval is append-only'); END;
-- An accepted message is the proof of delivery.
CREATE TRIGGER accepted_message_is_never_edited BEFORE UPDATE ON outbox WHEN OLD.state = 'accepted'
BEGIN SELECT RAISE(ABORT, 'an accepted message is closed'); END;
CREATE TRIGGER message_is_never_deleted BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'outbox rows are kept'); END;
