-- Single sign-on: which subject of which OpenID Connect provider a user is.

ALTER TABLE user_account ADD COLUMN identity_issuer TEXT;
ALTER TABLE user_account ADD COLUMN identity_subject TEXT;
ALTER TABLE user_account ADD COLUMN identity_at BIGINT;
CREATE UNIQUE INDEX user_by_identity ON user_account (workspace_id, identity_issuer, identity_subject);
