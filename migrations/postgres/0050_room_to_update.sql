-- A row that is updated soon after it was written finds room on its own page, and needs no new entry in any index.

ALTER TABLE grant_ SET (fillfactor = 80);
ALTER TABLE refresh_family SET (fillfactor = 60);
