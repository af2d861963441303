-- Requests that were refused, for a short time: why, never with what. The id sorts by time.
CREATE TABLE refusal (
    id BYTEA PRIMARY KEY,
    at BIGINT NOT NULL,
    workspace_id BYTEA,
    request_id TEXT NOT NULL,
    token_id BYTEA,
    grant_id BYTEA,
    endpoint TEXT NOT NULL,
    rule TEXT NOT NULL,
    detail TEXT,
    occurrences BIGINT NOT NULL
);
CREATE INDEX refusal_by_request ON refusal (request_id);
CREATE INDEX refusal_by_grant ON refusal (grant_id, at) WHERE grant_id IS NOT NULL;

-- Who has raised a cut-off.
ALTER TABLE cutoff ADD COLUMN raised_by TEXT;

-- What was done to one thing. Leaves out what is written with each token: the index would cost every issue.
CREATE INDEX audit_by_target ON audit_event (target, at)
    WHERE action NOT IN ('token.issue', 'token.create', 'token.refresh', 'session.open');
