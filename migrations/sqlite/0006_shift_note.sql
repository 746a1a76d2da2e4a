-- What a proctor hands over with a shift: written once, read by whoever watches the sitting after.
CREATE TABLE shift_note (
    id      INTEGER PRIMARY KEY,
    centre  BLOB    NOT NULL,
    sitting BLOB    NOT NULL,
    staff   BLOB    NOT NULL REFERENCES staff (id),
    at      INTEGER NOT NULL,
    text    TEXT    NOT NULL,
    FOREIGN KEY (sitting, centre) REFERENCES sitting (id, centre)
) STRICT;
CREATE INDEX shift_note_sitting ON shift_note (sitting);
