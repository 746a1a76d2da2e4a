-- What a trial run found on a candidate's device, days before the exam: advice for the proctor, the newest note only.
CREATE TABLE trial (
    session uuid   NOT NULL PRIMARY KEY REFERENCES candidate (session),
    at      bigint NOT NULL,
    report  text   NOT NULL
);
