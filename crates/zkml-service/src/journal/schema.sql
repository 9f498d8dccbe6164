-- The journal of one account that serves one consumer on one chain.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Blocks whose events are in here: the last of each range, and those that held any.
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE requests (
    id BLOB PRIMARY KEY,
    subject BLOB NOT NULL,
    sequence BLOB NOT NULL,
    deadline BLOB NOT NULL,
    action BLOB NOT NULL,
    data_commitment BLOB NOT NULL,
    input BLOB NOT NULL,
    -- What it pays: payer, asset, amount, callback gas and confirmations, as five words; none if it does not pay.
    reward BLOB CHECK (length(reward) = 160),
    -- Where it was asked for.
    block INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'done', 'refused', 'orphaned')),
    -- Why it is refused, or what stands in the way.
    reason TEXT,
    -- What ended its wait on the chain, and where; final once that block is.
    closed_block INTEGER,
    closed_how TEXT CHECK (closed_how IN ('fulfilled', 'cancelled', 'expired')),
    closed_by BLOB,
    output BLOB,
    proof BLOB,
    -- How often it was put off, and how often for what waiting hardly cures.
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    -- In milliseconds since 1970.
    next_try INTEGER NOT NULL DEFAULT 0,
    -- When it was first seen, in milliseconds since 1970.
    seen_at INTEGER NOT NULL DEFAULT 0,
    -- Whether what it needs is not there.
    missing INTEGER NOT NULL DEFAULT 0,
    -- When its last proof was begun, in milliseconds since 1970.
    begun_at INTEGER NOT NULL DEFAULT 0,
    CHECK ((closed_block IS NULL) = (closed_how IS NULL)),
    CHECK ((output IS NULL) = (proof IS NULL))
) STRICT;

CREATE INDEX requests_by_status ON requests (status, block);
CREATE INDEX requests_by_begin ON requests (begun_at);

-- Nonces of the account that this service has signed for.
CREATE TABLE slots (
    slot INTEGER PRIMARY KEY,
    nonce INTEGER NOT NULL,
    request BLOB REFERENCES requests (id),
    -- What was to be sent is of no use any more: an empty transaction shall take the nonce.
    void INTEGER NOT NULL DEFAULT 0,
    gas INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('live', 'mined', 'final', 'stolen')),
    block INTEGER,
    -- What it cost, in wei, decimal; and when it was found in a block, in milliseconds since 1970.
    cost TEXT,
    mined_at INTEGER NOT NULL DEFAULT 0,
    -- What publication on another layer costs on top, in wei, decimal, as it was when the nonce was first signed for.
    publication TEXT NOT NULL DEFAULT '0',
    CHECK ((block IS NOT NULL) = (status IN ('mined', 'final')))
) STRICT;

CREATE INDEX slots_by_time ON slots (mined_at);

-- Two transactions for one request would be paid for twice, two for one nonce would push each other out.
CREATE UNIQUE INDEX one_live_slot_for_a_request ON slots (request) WHERE status = 'live';
CREATE UNIQUE INDEX one_slot_for_a_nonce ON slots (nonce) WHERE status IN ('live', 'mined');

-- All that was ever signed for a nonce: any of them may be mined.
CREATE TABLE offers (
    hash BLOB PRIMARY KEY,
    slot INTEGER NOT NULL REFERENCES slots (slot),
    raw BLOB NOT NULL,
    -- In wei a gas, decimal.
    max_fee TEXT NOT NULL,
    priority_fee TEXT NOT NULL,
    void INTEGER NOT NULL,
    -- In milliseconds since 1970.
    signed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX offers_by_slot ON offers (slot);

-- For people who look in.
CREATE VIEW overview AS
SELECT
    '0x' || lower(hex(id)) AS request,
    CASE
        WHEN status <> 'open' THEN status
        WHEN closed_how IS NOT NULL THEN closed_how
        WHEN EXISTS (SELECT 1 FROM slots WHERE slots.request = requests.id AND slots.status IN ('live', 'mined')) THEN 'sent'
        WHEN proof IS NOT NULL THEN 'proven'
        ELSE 'seen'
    END AS state,
    block, closed_block, attempts, reason
FROM requests;
