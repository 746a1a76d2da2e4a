-- Two more roles; a CHECK cannot be widened in place, and nothing refers to these rows.
CREATE TABLE staff_role_wider (
    staff BLOB NOT NULL REFERENCES staff (id),
    role  TEXT NOT NULL CHECK (role IN ('centre', 'proctor', 'commission', 'author', 'auditor')),
    PRIMARY KEY (staff, role)
) STRICT, WITHOUT ROWID;
INSERT INTO staff_role_wider (staff, role) SELECT staff, role FROM staff_role;
DROP TABLE staff_role;
ALTER TABLE staff_role_wider RENAME TO staff_role;

-- Where letters to this person go.
ALTER TABLE staff ADD COLUMN mail TEXT;

-- What the law and the candidates ask of a centre, as JSON; each saving raises the revision.
CREATE TABLE centre_profile (
    centre   BLOB    PRIMARY KEY REFERENCES centre (id),
    revision INTEGER NOT NULL CHECK (revision > 0),
    body     TEXT    NOT NULL CHECK (json_valid(body)),
    saved_at INTEGER NOT NULL,
    saved_by BLOB    NOT NULL REFERENCES staff (id)
) STRICT;

-- Whom a centre lets in only with a second factor.
CREATE TABLE second_factor_rule (
    centre BLOB NOT NULL REFERENCES centre (id),
    role   TEXT NOT NULL,
    PRIMARY KEY (centre, role)
) STRICT, WITHOUT ROWID;

-- RFC 6238. The secret is sealed under the installation key; the last step used makes each code good for one time.
CREATE TABLE second_factor (
    staff        BLOB    PRIMARY KEY REFERENCES staff (id),
    sealed       BLOB    NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE recovery_code (
    staff     BLOB NOT NULL REFERENCES second_factor (staff) ON DELETE CASCADE,
    code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
    used_at   INTEGER,
    PRIMARY KEY (staff, code_hash)
) STRICT, WITHOUT ROWID;

-- Letters on their way. Subject and text are sealed under the installation key, because links in them are secrets, and
-- gone once a letter is sent or given up.
CREATE TABLE letter (
    id         INTEGER PRIMARY KEY,
    letter     BLOB    NOT NULL UNIQUE CHECK (length(letter) = 16),
    centre     BLOB    NOT NULL REFERENCES centre (id),
    kind       TEXT    NOT NULL,
    about      TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    sealed     BLOB,
    created_at INTEGER NOT NULL,
    state      TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL,
    settled_at INTEGER,
    why        TEXT,
    CHECK ((state = 'queued') = (sealed IS NOT NULL))
) STRICT;
CREATE INDEX letter_due ON letter (due_at) WHERE state = 'queued';
CREATE INDEX letter_about ON letter (centre, about, id);

-- The auditor asks by person, by action and by object, newest first.
CREATE INDEX audit_staff ON audit (centre, staff, id);
CREATE INDEX audit_action ON audit (centre, action, id);
CREATE INDEX audit_object ON audit (centre, object, id);
