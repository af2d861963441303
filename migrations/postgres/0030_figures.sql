-- What pages of the console tell without counting rows: sums by workspace and hour. The workspace of zeros has what proved no token.
CREATE TABLE figure (
    workspace_id BYTEA NOT NULL,
    hour BIGINT NOT NULL,
    what TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hour, what)
);

-- Which imported tokens were used last.
CREATE INDEX grant_by_import_use ON grant_ (import_id, last_used_at, id)
    WHERE import_id IS NOT NULL AND last_used_at IS NOT NULL;
