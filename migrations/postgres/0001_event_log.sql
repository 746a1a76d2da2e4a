-- Ids are UUIDs, times integer milliseconds UTC, digests 32-byte SHA-256.
-- Text is compared byte by byte (COLLATE "C") where it is sorted, so that lists do not depend on the server's locale.

-- One index only: every further one is another page to write per event.
CREATE TABLE event (
    stream uuid   NOT NULL,
    seq    bigint NOT NULL CHECK (seq > 0),
    at     bigint NOT NULL,
    kind   text   NOT NULL,
    body   text   NOT NULL,
    hash   bytea  NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (stream, seq)
);

-- The right to append: the one row names the process that may write; a take-over raises the epoch. Every append locks
-- the row FOR SHARE, so a take-over waits for appends under way and fences those that come later.
CREATE TABLE lease (
    id       integer PRIMARY KEY CHECK (id = 1),
    node     uuid    NOT NULL,
    epoch    bigint  NOT NULL CHECK (epoch > 0),
    taken_at bigint  NOT NULL
);

-- When the holder of each lease was last alive: downtime of ours is never charged to a candidate.
CREATE TABLE node_mark (
    epoch bigint PRIMARY KEY,
    node  uuid   NOT NULL,
    at    bigint NOT NULL
);

-- Where each session stands; follows from its events and is written with them. Room in each page, because rows change
-- in place.
CREATE TABLE summary (
    session     uuid    PRIMARY KEY,
    state       text    NOT NULL,
    finish      text,
    outcome     text,
    correct     integer,
    total       integer,
    warnings    bigint  NOT NULL,
    started_at  bigint,
    finished_at bigint,
    live        boolean NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX summary_live ON summary (session) WHERE live;

CREATE TABLE record (
    session   uuid   PRIMARY KEY,
    payload   bytea  NOT NULL,
    sha256    bytea  NOT NULL CHECK (length(sha256) = 32),
    jws       text   NOT NULL,
    kid       text   NOT NULL,
    sealed_at bigint NOT NULL
);

CREATE TABLE approval (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session uuid   NOT NULL REFERENCES record (session),
    jws     text   NOT NULL
);
CREATE INDEX approval_session ON approval (session);

CREATE TABLE outbox (
    id           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message      uuid    NOT NULL UNIQUE,
    session      uuid    NOT NULL,
    kind         text    NOT NULL CHECK (kind IN ('record', 'approval')),
    body         text    NOT NULL,
    sha256       bytea   NOT NULL CHECK (length(sha256) = 32),
    created_at   bigint  NOT NULL,
    state        text    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'accepted', 'refused')),
    attempts     bigint  NOT NULL DEFAULT 0,
    due_at       bigint  NOT NULL,
    settled_at   bigint,
    why          text,
    receipt      text,
    platform_ref text,
    CHECK ((state = 'accepted') = (receipt IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX outbox_open ON outbox (created_at) WHERE state <> 'accepted';
CREATE INDEX outbox_session ON outbox (session);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

-- Per statement, so that an INSERT pays nothing for them.
CREATE TRIGGER event_is_never_edited BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    EXECUTE FUNCTION refuse_change('event is append-only');
CREATE TRIGGER record_is_never_edited BEFORE UPDATE OR DELETE OR TRUNCATE ON record
    EXECUTE FUNCTION refuse_change('record is append-only');
CREATE TRIGGER approval_is_never_edited BEFORE UPDATE OR DELETE OR TRUNCATE ON approval
    EXECUTE FUNCTION refuse_change('approval is append-only');
-- An accepted message is the proof of delivery.
CREATE TRIGGER accepted_message_is_never_edited BEFORE UPDATE ON outbox
    FOR EACH ROW WHEN (OLD.state = 'accepted')
    EXECUTE FUNCTION refuse_change('an accepted message is closed');
CREATE TRIGGER message_is_never_deleted BEFORE DELETE OR TRUNCATE ON outbox
    EXECUTE FUNCTION refuse_change('outbox rows are kept');
