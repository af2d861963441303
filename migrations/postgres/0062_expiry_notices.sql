-- How far notices of the end of tokens have come, for each stage: for which ends they are given. Ids of grants sort by their end.
CREATE TABLE expiry_notice (
    stage INTEGER PRIMARY KEY,
    grants BYTEA NOT NULL,
    imports BIGINT NOT NULL
);

-- What ends when, without the sessions of OAuth clients, which are many and short.
CREATE INDEX grant_ending ON grant_ (id) WHERE origin <> 'oauth';
