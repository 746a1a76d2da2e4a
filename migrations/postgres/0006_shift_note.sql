-- What a proctor hands over with a shift: written once, read by whoever watches the sitting after.
CREATE TABLE shift_note (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    centre  uuid   NOT NULL,
    sitting uuid   NOT NULL,
    staff   uuid   NOT NULL REFERENCES staff (id),
    at      bigint NOT NULL,
    text    text   NOT NULL,
    FOREIGN KEY (sitting, centre) REFERENCES sitting (id, centre)
);
CREATE INDEX shift_note_sitting ON shift_note (sitting);
