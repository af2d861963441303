-- People, clients, APIs, plans and tokens as administrators manage them. Deleted rows stay for the audit.

ALTER TABLE workspace ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE workspace ADD COLUMN deleted_at BIGINT;
-- Whether administrators may revoke tokens that are otherwise revoked by HTTP only.
ALTER TABLE workspace ADD COLUMN admin_override BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE user_account ADD COLUMN email TEXT;
ALTER TABLE user_account ADD COLUMN password_hash TEXT;
ALTER TABLE user_account ADD COLUMN tokens_allowed BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE user_account ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE user_account ADD COLUMN deleted_at BIGINT;
CREATE INDEX user_by_workspace ON user_account (workspace_id, created_at, id);

-- The secret before the current one, accepted until its end while a client's deployments change over.
ALTER TABLE client ADD COLUMN previous_secret_digest BLOB;
ALTER TABLE client ADD COLUMN previous_secret_key_version INTEGER;
ALTER TABLE client ADD COLUMN previous_secret_until BIGINT;

-- The rules of policies as grants were issued under them.
CREATE TABLE policy_snapshot (
    version BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    rules TEXT NOT NULL,
    first_used_at BIGINT NOT NULL
);

ALTER TABLE grant_ ADD COLUMN policy_version BIGINT;
ALTER TABLE grant_ ADD COLUMN disabled_at BIGINT;
ALTER TABLE grant_ ADD COLUMN disabled_by TEXT;
-- Whether access tokens outlive the disabling, to their own end.
ALTER TABLE grant_ ADD COLUMN spares_access BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE grant_ ADD COLUMN deleted_at BIGINT;
-- Tokens of a generation below current_from are accepted until overlap_until only.
ALTER TABLE grant_ ADD COLUMN current_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE grant_ ADD COLUMN overlap_until BIGINT;
CREATE INDEX grant_by_workspace ON grant_ (workspace_id, created_at, id);

CREATE TABLE api (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    name TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_by_name ON api (workspace_id, name) WHERE deleted_at IS NULL;

CREATE TABLE plan (
    id BLOB PRIMARY KEY,
    workspace_id BLOB NOT NULL,
    name TEXT NOT NULL,
    requests BIGINT NOT NULL,
    period_s BIGINT NOT NULL,
    apis TEXT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX plan_by_name ON plan (workspace_id, name) WHERE deleted_at IS NULL;

-- What a create with an Idempotency-Key has made. Secrets are derived again from the key and the nonce.
CREATE TABLE idempotency (
    key_digest BLOB PRIMARY KEY,
    request_digest BLOB NOT NULL,
    target BLOB NOT NULL,
    nonce BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE INDEX audit_by_workspace ON audit_event (workspace_id, at, id);
