-- Long lists page by page. The keys are what `synaq_store::fold` makes of a name: in the order of the Kazakh alphabet and
-- without capitals, for sorting and searching. The store fills those of older rows when it opens the file.
ALTER TABLE candidate ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE sitting ADD COLUMN title_key TEXT NOT NULL DEFAULT '';
CREATE INDEX candidate_name ON candidate (centre, name_key);
CREATE INDEX candidate_without_key ON candidate (session) WHERE name_key = '';
CREATE INDEX sitting_without_key ON sitting (id) WHERE title_key = '';

-- Incidents by code, as JSON; none for sessions that ended before they were counted. To older engines json_valid(NULL) is 0.
ALTER TABLE summary ADD COLUMN incidents TEXT CHECK (incidents IS NULL OR json_valid(incidents));

-- A third kind of message: a notice that an attempt does not count. A CHECK cannot be changed in place; dropping a table
-- fires no trigger.
CREATE TABLE outbox_wider (
    id           INTEGER PRIMARY KEY,
    message      BLOB    NOT NULL UNIQUE CHECK (length(message) = 16),
    session      BLOB    NOT NULL CHECK (length(session) = 16),
    kind         TEXT    NOT NULL CHECK (kind IN ('record', 'approval', 'void')),
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
INSERT INTO outbox_wider
    (id, message, session, kind, body, sha256, created_at, state, attempts, due_at, settled_at, why, receipt, platform_ref)
    SELECT id, message, session, kind, body, sha256, created_at, state, attempts, due_at, settled_at, why, receipt,
        platform_ref
    FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_wider RENAME TO outbox;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE TRIGGER accepted_message_is_never_edited BEFORE UPDATE ON outbox WHEN OLD.state = 'accepted'
BEGIN SELECT RAISE(ABORT, 'an accepted message is closed'); END;
CREATE TRIGGER message_is_never_deleted BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'outbox rows are kept'); END;

-- What became of a message, without the pages that hold its body.
CREATE INDEX outbox_fate ON outbox (session, kind, state, created_at, settled_at);
