-- Results under policies that this service answers for.
CREATE TABLE results (
    id BLOB PRIMARY KEY,
    -- Result and policy, as twenty words.
    posted BLOB NOT NULL CHECK (length(posted) = 640),
    output BLOB NOT NULL,
    -- Where it was posted.
    block INTEGER NOT NULL,
    -- What ended it on the chain, and where.
    closed_block INTEGER,
    closed_how TEXT CHECK (closed_how IN ('accepted', 'lost', 'void')),
    -- When the contract was last asked about it, in milliseconds since 1970.
    looked_at INTEGER NOT NULL DEFAULT 0,
    orphaned INTEGER NOT NULL DEFAULT 0,
    CHECK ((closed_block IS NULL) = (closed_how IS NULL))
) STRICT;

-- Requests that nobody has made: what a result wants. Proving has the result's own id; what follows without a proof has an empty one.
CREATE TABLE duties (
    request BLOB PRIMARY KEY REFERENCES requests (id),
    kind TEXT NOT NULL CHECK (kind IN ('prove', 'draw', 'accept')),
    result BLOB NOT NULL REFERENCES results (id)
) STRICT;
