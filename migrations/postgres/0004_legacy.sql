-- Tokens of an older system: imported, usable until a deadline, refused after it.

CREATE TABLE legacy_import (
    id BYTEA PRIMARY KEY,
    workspace_id BYTEA NOT NULL,
    -- What the older system is called; an upload is resumed under this name.
    source TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_version BIGINT NOT NULL,
    scheme TEXT NOT NULL,
    -- What was hashed: the whole token string, or what follows the separator.
    hashed TEXT NOT NULL,
    separator TEXT NOT NULL,
    -- The key of scheme hmac-sha256, sealed under the master key of that version.
    hmac_key BYTEA,
    hmac_key_version INTEGER,
    deprecated_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    link TEXT,
    scopes TEXT NOT NULL,
    -- Whose the tokens are that name no owner who is known.
    fallback_user BYTEA,
    fallback_client BYTEA,
    state TEXT NOT NULL,
    imported BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    upgraded BIGINT NOT NULL,
    -- The last line of the file that is dealt with.
    position BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX legacy_import_by_source ON legacy_import (workspace_id, source);
CREATE INDEX legacy_import_by_workspace ON legacy_import (workspace_id, created_at, id);

CREATE TABLE legacy_token (
    id BYTEA PRIMARY KEY,
    import_id BYTEA NOT NULL,
    grant_id BYTEA NOT NULL,
    -- Which token of which source this is, as it was imported: what makes sending a file again harmless.
    import_key BYTEA NOT NULL UNIQUE,
    -- Tells another token with the same import key from the same one.
    material BYTEA NOT NULL,
    -- What a presented string is looked up by: a keyed digest of the string, of its hash, or of its hint.
    lookup BYTEA NOT NULL,
    key_version INTEGER NOT NULL,
    -- What is still to be proven where the look-up proves nothing; gone after the first good use.
    hash TEXT,
    imported_at BIGINT NOT NULL,
    upgraded_at BIGINT
);
CREATE INDEX legacy_token_by_lookup ON legacy_token (lookup);
CREATE INDEX legacy_token_by_import ON legacy_token (import_id, id);

-- What a dry run has seen so far: it must tell a repeated line as the real run would, in bounded memory.
CREATE TABLE legacy_dry_run (
    pass BYTEA NOT NULL,
    import_key BYTEA NOT NULL,
    material BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (pass, import_key)
);
CREATE INDEX legacy_dry_run_by_age ON legacy_dry_run (at);

ALTER TABLE grant_ ADD COLUMN import_id BYTEA;
CREATE INDEX grant_by_import ON grant_ (import_id, id) WHERE import_id IS NOT NULL;
