-- The composite keys (id, centre) let every reference carry its centre: a row of one centre cannot point into another.
-- `ordinal` is the order in which rows came, where a list is sorted by it among equals.

CREATE TABLE centre (
    id      uuid PRIMARY KEY,
    bin     text NOT NULL UNIQUE,
    name_kk text NOT NULL,
    name_ru text NOT NULL COLLATE "C"
);

CREATE TABLE staff (
    id            uuid    PRIMARY KEY,
    centre        uuid    NOT NULL REFERENCES centre (id),
    login         text    NOT NULL COLLATE "C" UNIQUE,
    name          text    NOT NULL,
    password_hash text,
    disabled      boolean NOT NULL
);
CREATE INDEX staff_centre ON staff (centre, login);

CREATE TABLE staff_role (
    staff uuid NOT NULL REFERENCES staff (id),
    role  text NOT NULL CHECK (role IN ('centre', 'proctor', 'commission')),
    PRIMARY KEY (staff, role)
);

CREATE TABLE setup_token (
    token_hash bytea  PRIMARY KEY CHECK (length(token_hash) = 32),
    staff      uuid   NOT NULL REFERENCES staff (id),
    expires_at bigint NOT NULL
);

CREATE TABLE staff_session (
    token_hash bytea  PRIMARY KEY CHECK (length(token_hash) = 32),
    staff      uuid   NOT NULL REFERENCES staff (id),
    expires_at bigint NOT NULL
);
CREATE INDEX staff_session_staff ON staff_session (staff);

CREATE TABLE bank (
    id          uuid   PRIMARY KEY,
    ordinal     bigint GENERATED ALWAYS AS IDENTITY,
    centre      uuid   NOT NULL REFERENCES centre (id),
    slug        text   NOT NULL,
    version     bigint NOT NULL,
    source      text   NOT NULL,
    sha256      text   NOT NULL,
    imported_at bigint NOT NULL,
    UNIQUE (centre, slug, version),
    UNIQUE (id, centre)
);

CREATE TABLE programme (
    id         uuid   PRIMARY KEY,
    ordinal    bigint GENERATED ALWAYS AS IDENTITY,
    centre     uuid   NOT NULL REFERENCES centre (id),
    slug       text   NOT NULL,
    version    bigint NOT NULL,
    source     text   NOT NULL,
    bank       uuid   NOT NULL,
    created_at bigint NOT NULL,
    UNIQUE (centre, slug, version),
    UNIQUE (id, centre),
    FOREIGN KEY (bank, centre) REFERENCES bank (id, centre)
);

CREATE TABLE sitting (
    id        uuid   PRIMARY KEY,
    ordinal   bigint GENERATED ALWAYS AS IDENTITY,
    centre    uuid   NOT NULL REFERENCES centre (id),
    programme uuid   NOT NULL,
    title     text   NOT NULL,
    opens_at  bigint NOT NULL,
    closes_at bigint NOT NULL,
    UNIQUE (id, centre),
    FOREIGN KEY (programme, centre) REFERENCES programme (id, centre)
);
CREATE INDEX sitting_centre ON sitting (centre, opens_at);

CREATE TABLE candidate (
    session       uuid    PRIMARY KEY,
    centre        uuid    NOT NULL,
    sitting       uuid    NOT NULL,
    place         bigint  NOT NULL CHECK (place >= 0),
    name          text    NOT NULL,
    identity      text    NOT NULL,
    extra_minutes integer NOT NULL,
    switched_off  text[]  NOT NULL,
    wrapped_key   bytea   NOT NULL,
    UNIQUE (sitting, identity),
    UNIQUE (sitting, place),
    FOREIGN KEY (sitting, centre) REFERENCES sitting (id, centre)
);

CREATE TABLE audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     bigint NOT NULL,
    centre uuid   NOT NULL REFERENCES centre (id),
    staff  uuid   REFERENCES staff (id),
    action text   NOT NULL,
    object text   NOT NULL
);
CREATE INDEX audit_centre ON audit (centre, id);

CREATE TRIGGER audit_is_never_edited BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    EXECUTE FUNCTION refuse_change('audit is append-only');
CREATE TRIGGER bank_is_never_edited BEFORE UPDATE ON bank
    EXECUTE FUNCTION refuse_change('a bank version is immutable');
CREATE TRIGGER programme_is_never_edited BEFORE UPDATE ON programme
    EXECUTE FUNCTION refuse_change('a programme version is immutable');
