-- Nothing to do: SQLite updates a row in its place.
SELECT 1;
