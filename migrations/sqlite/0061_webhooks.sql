-- Receivers of events. Which events one has got is a position in their order; whoever delivers holds a claim for a while.
CREATE TABLE webhook (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    -- Types of events, one word each; none: all.
    types TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    -- Sealed under the master key: deliveries are signed with it.
    secret BLOB NOT NULL,
    secret_key_version INTEGER NOT NULL,
    previous_secret BLOB,
    previous_secret_key_version INTEGER,
    previous_secret_until BIGINT,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    position_seq BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    claim BLOB,
    claimed_until BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_success_at BIGINT,
    last_error_at BIGINT,
    last_error TEXT
);
CREATE INDEX webhook_by_workspace ON webhook (workspace_id, created_at, id);
