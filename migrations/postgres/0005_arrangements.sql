-- Sittings that move, are cancelled and have a size; candidates who are put right, withdraw, or get another attempt.
-- What was changed, by whom and why, stands in `change`; `version` lets the second of two editors know of the first.

ALTER TABLE sitting
    ADD COLUMN version       bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    ADD COLUMN capacity      bigint CHECK (capacity > 0),
    ADD COLUMN cancelled_at  bigint,
    ADD COLUMN cancel_reason text;

ALTER TABLE candidate
    ADD COLUMN attempt         bigint  NOT NULL DEFAULT 1 CHECK (attempt > 0),
    ADD COLUMN version         bigint  NOT NULL DEFAULT 1 CHECK (version > 0),
    ADD COLUMN email           text,
    ADD COLUMN extra_pct       integer,
    ADD COLUMN breaks          boolean NOT NULL DEFAULT false,
    ADD COLUMN hearing_aid     boolean NOT NULL DEFAULT false,
    ADD COLUMN note            text,
    ADD COLUMN withdrawn_at    bigint,
    ADD COLUMN withdraw_reason text,
    ADD COLUMN voided_at       bigint,
    ADD COLUMN void_ground     text,
    ADD COLUMN void_reason     text,
    ADD COLUMN replaces        uuid REFERENCES candidate (session),
    -- A second attempt of the same person in one sitting.
    DROP CONSTRAINT candidate_sitting_identity_key,
    ADD CONSTRAINT candidate_sitting_identity_attempt_key UNIQUE (sitting, identity, attempt),
    ADD CHECK ((withdrawn_at IS NULL) = (withdraw_reason IS NULL)),
    ADD CHECK ((voided_at IS NULL) = (void_ground IS NULL) AND (voided_at IS NULL) = (void_reason IS NULL));
CREATE UNIQUE INDEX candidate_replaces ON candidate (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX candidate_centre ON candidate (centre, sitting, place);

-- Append-only: what a field said before and after.
CREATE TABLE change (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    centre  uuid   NOT NULL REFERENCES centre (id),
    staff   uuid   NOT NULL REFERENCES staff (id),
    subject uuid   NOT NULL,
    field   text   NOT NULL,
    old     text   NOT NULL,
    new     text   NOT NULL,
    reason  text   NOT NULL
);
CREATE INDEX change_subject ON change (subject, id);

CREATE TRIGGER change_is_never_edited BEFORE UPDATE OR DELETE OR TRUNCATE ON change
    EXECUTE FUNCTION refuse_change('change is append-only');
