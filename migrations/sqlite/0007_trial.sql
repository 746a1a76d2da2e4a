-- What a trial run found on a candidate's device, days before the exam: advice for the proctor, the newest note only.
CREATE TABLE trial (
    session BLOB    NOT NULL PRIMARY KEY REFERENCES candidate (session),
    at      INTEGER NOT NULL,
    report  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
