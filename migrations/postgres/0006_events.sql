-- Acts that others are told of: a view of the audit log with an order in which nothing is ever missed. Acts commit in another order than they
-- are written in, so that a row gets its number (seq) only afterwards, by a transaction of its own.
CREATE TABLE event (
    id BYTEA PRIMARY KEY,
    ord BIGINT GENERATED ALWAYS AS IDENTITY,
    workspace_id BYTEA NOT NULL,
    action TEXT NOT NULL,
    seq BIGINT
);
CREATE INDEX event_unnumbered ON event (ord) WHERE seq IS NULL;
CREATE UNIQUE INDEX event_by_workspace ON event (workspace_id, seq) WHERE seq IS NOT NULL;

-- The last number that was given out. Whoever gives out more holds this row.
CREATE TABLE event_head (
    id INTEGER PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO event_head (id, seq) VALUES (1, 0);
