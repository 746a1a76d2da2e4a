-- Two more roles.
ALTER TABLE staff_role DROP CONSTRAINT staff_role_role_check;
ALTER TABLE staff_role ADD CONSTRAINT staff_role_role_check
    CHECK (role IN ('centre', 'proctor', 'commission', 'author', 'auditor'));

-- Where letters to this person go.
ALTER TABLE staff ADD COLUMN mail text;

-- What the law and the candidates ask of a centre, as JSON; each saving raises the revision.
CREATE TABLE centre_profile (
    centre   uuid   PRIMARY KEY REFERENCES centre (id),
    revision bigint NOT NULL CHECK (revision > 0),
    body     text   NOT NULL,
    saved_at bigint NOT NULL,
    saved_by uuid   NOT NULL REFERENCES staff (id)
);

-- Whom a centre lets in only with a second factor.
CREATE TABLE second_factor_rule (
    centre uuid NOT NULL REFERENCES centre (id),
    role   text NOT NULL,
    PRIMARY KEY (centre, role)
);

-- RFC 6238. The secret is sealed under the installation key; the last step used makes each code good for one time.
CREATE TABLE second_factor (
    staff        uuid   PRIMARY KEY REFERENCES staff (id),
    sealed       bytea  NOT NULL,
    confirmed_at bigint,
    last_step    bigint NOT NULL DEFAULT 0
);

CREATE TABLE recovery_code (
    staff     uuid   NOT NULL REFERENCES second_factor (staff) ON DELETE CASCADE,
    code_hash bytea  NOT NULL CHECK (length(code_hash) = 32),
    used_at   bigint,
    PRIMARY KEY (staff, code_hash)
);

-- Letters on their way. Subject and text are sealed under the installation key, because links in them are secrets, and
-- gone once a letter is sent or given up.
CREATE TABLE letter (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter     uuid   NOT NULL UNIQUE,
    centre     uuid   NOT NULL REFERENCES centre (id),
    kind       text   NOT NULL,
    about      text   NOT NULL,
    recipient  text   NOT NULL,
    sealed     bytea,
    created_at bigint NOT NULL,
    state      text   NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    attempts   bigint NOT NULL DEFAULT 0,
    due_at     bigint NOT NULL,
    settled_at bigint,
    why        text,
    CHECK ((state = 'queued') = (sealed IS NOT NULL))
);
CREATE INDEX letter_due ON letter (due_at) WHERE state = 'queued';
CREATE INDEX letter_about ON letter (centre, about, id);

-- The auditor asks by person, by action and by object, newest first.
CREATE INDEX audit_staff ON audit (centre, staff, id);
CREATE INDEX audit_action ON audit (centre, action, id);
CREATE INDEX audit_object ON audit (centre, object, id);
