-- Whose revocation it is: those who follow the log from outside see their own workspace's. Empty in rows that an older
-- version has written, and in those that revoke nothing.

ALTER TABLE revocation_log ADD COLUMN workspace BLOB;
