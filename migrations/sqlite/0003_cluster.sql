-- Who validates from memory, and up to which revision it has applied the log. A row is made before its node serves
-- anything from memory, and goes only when that is certainly over.
CREATE TABLE node (
    id BLOB PRIMARY KEY,
    incarnation BIGINT NOT NULL,
    name TEXT NOT NULL,
    config_fingerprint TEXT NOT NULL,
    lease_ms BIGINT NOT NULL,
    applied_seq BIGINT NOT NULL,
    renewals BIGINT NOT NULL,
    joined_at BIGINT NOT NULL
);

-- Log rows up to this revision may be gone: whoever has applied less must start afresh.
ALTER TABLE revocation_head ADD COLUMN purged_to BIGINT NOT NULL DEFAULT 0;
