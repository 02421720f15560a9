-- The ledger and its projections. Times are nanoseconds since 1970 in UTC; 0 means absent. Hashes are
-- 32 raw bytes. A document is JSON in the words of the model; columns beside it exist to be searched.

-- Everything that was seen, decided, asked for or changed, in order and without gaps. Never altered.
--
-- An index whose keys are scattered costs a page for every row, more and more of them as history
-- grows. So every index here keeps what is new together: subjects of runs are stored with the native
-- id before the job ("run#SOURCE#NATIVE#JOB"), since native ids of a source grow with time; and the
-- index of hashes is cut into slices of 16384 records, each looked into when a hash is searched.
CREATE TABLE record (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    hash    BLOB    NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
-- A subject follows from the bytes of a record, so equal records have equal subjects.
CREATE UNIQUE INDEX record_subject ON record (subject, hash);
CREATE INDEX record_hash ON record (seq >> 14, substr(hash, 1, 8));

CREATE TRIGGER record_never_altered BEFORE UPDATE ON record
BEGIN
    SELECT raise(ABORT, 'records are never altered');
END;
CREATE TRIGGER record_never_removed BEFORE DELETE ON record
BEGIN
    SELECT raise(ABORT, 'records are never removed');
END;

CREATE TABLE definition (
    version BLOB    PRIMARY KEY,
    chain   TEXT    NOT NULL,
    current INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX definition_current ON definition (chain) WHERE current = 1;

CREATE TABLE source (
    name      TEXT    PRIMARY KEY,
    cursor    BLOB,
    cursor_at INTEGER NOT NULL,
    listed_at INTEGER NOT NULL,
    offset_ns INTEGER,
    doc       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    source TEXT NOT NULL,
    job    TEXT NOT NULL,
    doc    TEXT NOT NULL,
    PRIMARY KEY (source, job)
) STRICT, WITHOUT ROWID;

-- The native id stands before the job in the key for the same reason as above, and the runs of each
-- job are cut into slices of 2^45 ns of activity (9.8 hours). The latest observation is not in the
-- document when it is in the ledger, at place evidence.
CREATE TABLE run (
    id       INTEGER PRIMARY KEY,
    source   TEXT    NOT NULL,
    native   TEXT    NOT NULL,
    job      TEXT    NOT NULL,
    epoch    TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    activity INTEGER NOT NULL,
    token    TEXT    NOT NULL,
    evidence INTEGER REFERENCES record (seq),
    doc      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_key ON run (source, native, job, epoch);
CREATE INDEX run_activity ON run (activity);
CREATE INDEX run_of_job ON run (activity >> 45, source, job, activity);
CREATE TABLE run_slice (n INTEGER PRIMARY KEY) STRICT; -- the slices that hold anything
CREATE INDEX run_of_source ON run (source, activity);
CREATE INDEX run_state ON run (state, activity) WHERE state <> 'succeeded';
CREATE INDEX run_token ON run (token) WHERE token <> '';

CREATE TABLE instance (
    id            INTEGER PRIMARY KEY,
    chain         TEXT    NOT NULL,
    business_date TEXT    NOT NULL,
    cycle         TEXT    NOT NULL,
    version       BLOB    NOT NULL,
    opened        INTEGER NOT NULL,
    closed        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX instance_key ON instance (chain, business_date, cycle);
CREATE INDEX instance_opened ON instance (opened);
CREATE INDEX instance_of_chain ON instance (chain, opened);
CREATE INDEX instance_open ON instance (opened) WHERE closed = 0;

CREATE TABLE node (
    instance INTEGER NOT NULL REFERENCES instance (id),
    place    INTEGER NOT NULL,
    doc      TEXT    NOT NULL,
    PRIMARY KEY (instance, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE intent (
    id            INTEGER PRIMARY KEY,
    token         TEXT    NOT NULL,
    chain         TEXT    NOT NULL,
    business_date TEXT    NOT NULL,
    cycle         TEXT    NOT NULL,
    node          TEXT    NOT NULL,
    attempt       INTEGER NOT NULL,
    source        TEXT    NOT NULL,
    job           TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    run_source    TEXT    NOT NULL,
    run_job       TEXT    NOT NULL,
    run_native    TEXT    NOT NULL,
    run_epoch     TEXT    NOT NULL,
    note          TEXT    NOT NULL,
    receipt       BLOB    NOT NULL,
    created       INTEGER NOT NULL,
    updated       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX intent_token ON intent (token);
CREATE UNIQUE INDEX intent_place ON intent (chain, business_date, cycle, node, attempt);
CREATE INDEX intent_unfinished ON intent (state) WHERE state IN ('pending', 'sent');
CREATE INDEX intent_run ON intent (run_source, run_native, run_job, run_epoch) WHERE run_native <> '';

CREATE TABLE edge (
    down_token TEXT    NOT NULL,
    up_source  TEXT    NOT NULL,
    up_native  TEXT    NOT NULL,
    up_job     TEXT    NOT NULL,
    up_epoch   TEXT    NOT NULL,
    up_attempt INTEGER NOT NULL,
    evidence   BLOB    NOT NULL,
    receipt    BLOB    NOT NULL,
    PRIMARY KEY (down_token, up_source, up_native, up_job, up_epoch, up_attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name  TEXT    PRIMARY KEY,
    owner TEXT    NOT NULL, -- empty = given back
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
