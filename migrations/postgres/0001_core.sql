-- Times are unix milliseconds. Ids and digests are raw bytes. JSON is text that only the service reads.

CREATE TABLE workspace (
    id BYTEA PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- The public client that API token pairs of this workspace are refreshed with.
    api_client BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE user_account (
    id BYTEA PRIMARY KEY,
    workspace_id BYTEA NOT NULL REFERENCES workspace (id),
    username TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (workspace_id, username)
);

CREATE TABLE client (
    id BYTEA PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    workspace_id BYTEA NOT NULL REFERENCES workspace (id),
    name TEXT NOT NULL,
    auth_method TEXT NOT NULL,
    secret_digest BYTEA,
    secret_key_version INTEGER,
    grant_types TEXT NOT NULL,
    scopes TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    introspect BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX client_by_workspace ON client (workspace_id, created_at, id);

-- The id sorts by the grant's end, so that finished grants lie together. No foreign keys: grants outlive what they
-- name, and issuing must not write to its parents' rows.
CREATE TABLE grant_ (
    id BYTEA PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    policy TEXT NOT NULL,
    origin TEXT NOT NULL,
    name TEXT,
    user_id BYTEA,
    client_key BYTEA,
    parent_id BYTEA,
    state TEXT NOT NULL,
    scopes TEXT NOT NULL,
    apis TEXT,
    plans TEXT,
    extra_fields TEXT,
    session TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    revoked_by TEXT,
    revoke_reason TEXT,
    version BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX grant_by_owner ON grant_ (user_id, created_at, id) WHERE user_id IS NOT NULL;

-- The id sorts by the token's end and is the partition key: whole months of expired tokens leave by DROP TABLE.
CREATE TABLE token (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    grant_id BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    key_version INTEGER NOT NULL,
    generation BIGINT NOT NULL,
    scopes TEXT,
    issued_at BIGINT NOT NULL
) PARTITION BY RANGE (id);
-- Tokens without an end: 48 bits of expiry, all ones.
CREATE TABLE token_never PARTITION OF token FOR VALUES FROM ('\xffffffffffff') TO (MAXVALUE);

CREATE TABLE refresh_family (
    grant_id BYTEA PRIMARY KEY,
    generation BIGINT NOT NULL,
    current_token BYTEA NOT NULL,
    rotated_from BYTEA,
    nonce BYTEA,
    key_version INTEGER,
    rotated_at BIGINT,
    access_expires_at BIGINT,
    access_scopes TEXT,
    successor_used BOOLEAN NOT NULL
);

-- The session that a long-lived key last opened: the nonce derives the same access token again.
CREATE TABLE key_session (
    key_grant_id BYTEA PRIMARY KEY,
    grant_id BYTEA NOT NULL,
    nonce BYTEA NOT NULL,
    key_version INTEGER NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Mass revocation: grants of the subject (workspace, user or client) whose revision is lower are dead.
CREATE TABLE cutoff (
    subject BYTEA NOT NULL,
    policy TEXT NOT NULL,
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (subject, policy)
);

CREATE TABLE revocation_head (
    id INTEGER PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO revocation_head (id, seq) VALUES (1, 0);

CREATE TABLE revocation_log (
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key BYTEA NOT NULL,
    policy TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (seq, kind, key, policy)
);

-- Fingerprints of the master keys that rows were made under: a process with another key must not start.
CREATE TABLE key_version (
    version INTEGER PRIMARY KEY,
    first_used_at BIGINT NOT NULL
);

CREATE TABLE audit_event (
    id BYTEA PRIMARY KEY,
    at BIGINT NOT NULL,
    workspace_id BYTEA NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    target TEXT NOT NULL,
    request_id TEXT,
    detail TEXT
);
