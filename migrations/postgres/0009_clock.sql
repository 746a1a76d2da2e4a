-- How the server's clock stood beside others, again and again: what an auditor needs to believe the times of a record.
CREATE TABLE clock_mark (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        bigint NOT NULL,
    source    text   NOT NULL,
    ahead_ms  bigint,
    within_ms bigint,
    why       text
);
CREATE INDEX clock_mark_at ON clock_mark (at);
