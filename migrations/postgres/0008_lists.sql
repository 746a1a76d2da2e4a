-- Long lists page by page. The keys are what `synaq_store::fold` makes of a name: in the order of the Kazakh alphabet and
-- without capitals, for sorting and searching. The store fills those of older rows when it opens the database.
ALTER TABLE candidate ADD COLUMN name_key text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sitting ADD COLUMN title_key text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX candidate_name ON candidate (centre, name_key);
CREATE INDEX candidate_without_key ON candidate (session) WHERE name_key = '';
CREATE INDEX sitting_without_key ON sitting (id) WHERE title_key = '';

-- Incidents by code, as JSON; none for sessions that ended before they were counted.
ALTER TABLE summary ADD COLUMN incidents text;

-- A third kind of message: a notice that an attempt does not count.
ALTER TABLE outbox
    DROP CONSTRAINT outbox_kind_check,
    ADD CONSTRAINT outbox_kind_check CHECK (kind IN ('record', 'approval', 'void'));

-- What became of a message, without the pages that hold its body.
CREATE INDEX outbox_fate ON outbox (session, kind, state, created_at, settled_at);
DROP INDEX outbox_session;
