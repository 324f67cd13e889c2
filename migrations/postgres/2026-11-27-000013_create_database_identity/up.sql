-- A random id of this database, which is also stored beside the objects, so that
-- `lectern gc` does not take the objects of another database for orphans. The row is
-- inserted by the first command that opens the storage.
CREATE TABLE database_identity (
    id INTEGER PRIMARY KEY
        CONSTRAINT database_identity_one_row CHECK (id = 1),
    database_id UUID NOT NULL
);
