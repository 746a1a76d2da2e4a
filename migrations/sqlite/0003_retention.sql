-- Who keeps the evidence of a session from being erased. At most one open hold a session; a lifted one stays as it was.
CREATE TABLE hold (
    id        INTEGER PRIMARY KEY,
    session   BLOB    NOT NULL REFERENCES candidate (session),
    ground    TEXT    NOT NULL CHECK (ground IN ('appeal', 'centre')),
    reason    TEXT    NOT NULL,
    placed_at INTEGER NOT NULL,
    placed_by BLOB    NOT NULL REFERENCES staff (id),
    lifted_at INTEGER,
    lifted_by BLOB    REFERENCES staff (id),
    lift_note TEXT,
    CHECK ((lifted_at IS NULL) = (lift_note IS NULL) AND (lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;
CREATE INDEX hold_session ON hold (session);
CREATE UNIQUE INDEX hold_open ON hold (session) WHERE lifted_at IS NULL;

-- What was erased, or is being erased: begun, then without its key, then done.
CREATE TABLE erasure (
    session      BLOB    NOT NULL REFERENCES candidate (session),
    class        TEXT    NOT NULL CHECK (class IN ('recordings', 'stills', 'photos')),
    rule         TEXT    NOT NULL,
    begun_at     INTEGER NOT NULL,
    destroyed_at INTEGER,
    done_at      INTEGER,
    statement    TEXT,
    PRIMARY KEY (session, class),
    CHECK (done_at IS NULL OR destroyed_at IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_open ON erasure (session) WHERE done_at IS NULL;

CREATE TRIGGER hold_is_never_deleted BEFORE DELETE ON hold
BEGIN SELECT RAISE(ABORT, 'holds are kept'); END;
CREATE TRIGGER lifted_hold_is_never_edited BEFORE UPDATE ON hold WHEN OLD.lifted_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a lifted hold is closed'); END;
CREATE TRIGGER erasure_is_never_taken_back BEFORE DELETE ON erasure WHEN OLD.destroyed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was erased stays erased'); END;
CREATE TRIGGER done_erasure_is_never_edited BEFORE UPDATE ON erasure WHEN OLD.done_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was erased stays erased'); END;
