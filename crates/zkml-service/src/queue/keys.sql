-- The fleet's public key that a task's input is sealed for, in hexadecimal digits; empty if nothing is sealed.
ALTER TABLE tasks ADD COLUMN sealed_for TEXT NOT NULL DEFAULT '';
-- The public key whose sealed inputs a worker opens.
ALTER TABLE workers ADD COLUMN opens TEXT NOT NULL DEFAULT '';
-- What all workers are told, those too that come later. It has one row.
CREATE TABLE orders (draining INTEGER NOT NULL) STRICT;
INSERT INTO orders (draining) VALUES (0);
