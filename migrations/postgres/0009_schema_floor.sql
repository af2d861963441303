-- Migrations that a version of the service has to know in order to serve from this schema. A version that lacks others
-- may serve: they only add.
CREATE TABLE schema_floor (
    migration BIGINT PRIMARY KEY
);
