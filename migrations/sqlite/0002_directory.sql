-- The composite keys (id, centre) let every reference carry its centre: a row of one centre cannot point into another.

CREATE TABLE centre (
    id      BLOB PRIMARY KEY CHECK (length(id) = 16),
    bin     TEXT NOT NULL UNIQUE,
    name_kk TEXT NOT NULL,
    name_ru TEXT NOT NULL
) STRICT;

CREATE TABLE staff (
    id            BLOB    PRIMARY KEY CHECK (length(id) = 16),
    centre        BLOB    NOT NULL REFERENCES centre (id),
    login         TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    password_hash TEXT,
    disabled      INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;
CREATE INDEX staff_centre ON staff (centre, login);

CREATE TABLE staff_role (
    staff BLOB NOT NULL REFERENCES staff (id),
    role  TEXT NOT NULL CHECK (role IN ('centre', 'proctor', 'commission')),
    PRIMARY KEY (staff, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE setup_token (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    staff      BLOB    NOT NULL REFERENCES staff (id),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_session (
    token_hash BLOB    PRIMARY KEY CHECK (length(token_hash) = 32),
    staff      BLOB    NOT NULL REFERENCES staff (id),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_session_staff ON staff_session (staff);

CREATE TABLE bank (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    centre      BLOB    NOT NULL REFERENCES centre (id),
    slug        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    sha256      TEXT    NOT NULL,
    imported_at INTEGER NOT NULL,
    UNIQUE (centre, slug, version),
    UNIQUE (id, centre)
) STRICT;

CREATE TABLE programme (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    centre     BLOB    NOT NULL REFERENCES centre (id),
    slug       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    source     TEXT    NOT NULL,
    bank       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (centre, slug, version),
    UNIQUE (id, centre),
    FOREIGN KEY (bank, centre) REFERENCES bank (id, centre)
) STRICT;

CREATE TABLE sitting (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    centre    BLOB    NOT NULL REFERENCES centre (id),
    programme BLOB    NOT NULL,
    title     TEXT    NOT NULL,
    opens_at  INTEGER NOT NULL,
    closes_at INTEGER NOT NULL,
    UNIQUE (id, centre),
    FOREIGN KEY (programme, centre) REFERENCES programme (id, centre)
) STRICT;
CREATE INDEX sitting_centre ON sitting (centre, opens_at);

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
    UNIQUE (sitting, identity),
    UNIQUE (sitting, place),
    FOREIGN KEY (sitting, centre) REFERENCES sitting (id, centre)
) STRICT;

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    centre BLOB    NOT NULL REFERENCES centre (id),
    staff  BLOB    REFERENCES staff (id),
    action TEXT    NOT NULL,
    object TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_centre ON audit (centre, id);

CREATE TRIGGER audit_is_never_edited BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER bank_is_never_edited BEFORE UPDATE ON bank
BEGIN SELECT RAISE(ABORT, 'a bank version is immutable'); END;
CREATE TRIGGER programme_is_never_edited BEFORE UPDATE ON programme
BEGIN SELECT RAISE(ABORT, 'a programme version is immutable'); END;
