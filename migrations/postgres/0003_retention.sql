-- Who keeps the evidence of a session from being erased. At most one open hold a session; a lifted one stays as it was.
CREATE TABLE hold (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session   uuid   NOT NULL REFERENCES candidate (session),
    ground    text   NOT NULL CHECK (ground IN ('appeal', 'centre')),
    reason    text   NOT NULL,
    placed_at bigint NOT NULL,
    placed_by uuid   NOT NULL REFERENCES staff (id),
    lifted_at bigint,
    lifted_by uuid   REFERENCES staff (id),
    lift_note text,
    CHECK ((lifted_at IS NULL) = (lift_note IS NULL) AND (lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX hold_session ON hold (session);
CREATE UNIQUE INDEX hold_open ON hold (session) WHERE lifted_at IS NULL;

-- What was erased, or is being erased: begun, then without its key, then done.
CREATE TABLE erasure (
    session      uuid   NOT NULL REFERENCES candidate (session),
    class        text   NOT NULL CHECK (class IN ('recordings', 'stills', 'photos')),
    rule         text   NOT NULL,
    begun_at     bigint NOT NULL,
    destroyed_at bigint,
    done_at      bigint,
    statement    text,
    PRIMARY KEY (session, class),
    CHECK (done_at IS NULL OR destroyed_at IS NOT NULL)
);
CREATE INDEX erasure_open ON erasure (session) WHERE done_at IS NULL;

CREATE TRIGGER hold_is_never_deleted BEFORE DELETE OR TRUNCATE ON hold
    EXECUTE FUNCTION refuse_change('holds are kept');
CREATE TRIGGER lifted_hold_is_never_edited BEFORE UPDATE ON hold
    FOR EACH ROW WHEN (OLD.lifted_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a lifted hold is closed');
CREATE TRIGGER erasure_is_never_taken_back BEFORE DELETE ON erasure
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('what was erased stays erased');
CREATE TRIGGER done_erasure_is_never_edited BEFORE UPDATE ON erasure
    FOR EACH ROW WHEN (OLD.done_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('what was erased stays erased');
