-- A key may have two secrets for a while; each opens sessions of its own.

ALTER TABLE key_session RENAME COLUMN key_grant_id TO key_token_id;
