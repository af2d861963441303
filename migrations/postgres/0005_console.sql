-- Signing in: sessions of the console, links that set a password, forms that were sent. Secrets are digests here too.

CREATE TABLE console_session (
    id BYTEA PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE,
    user_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ip TEXT,
    user_agent TEXT
);
CREATE INDEX console_session_by_user ON console_session (user_id, created_at, id);

-- Opens the page where a user sets a password: once, and for a short time.
CREATE TABLE password_link (
    digest BYTEA PRIMARY KEY,
    user_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Forms that make a secret: each is accepted once, however often it is sent.
CREATE TABLE console_form (
    digest BYTEA PRIMARY KEY,
    used_at BIGINT NOT NULL
);
CREATE INDEX console_form_by_age ON console_form (used_at);
