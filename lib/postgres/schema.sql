-- What Postrider keeps in Postgres. To run it again changes nothing that is there.

-- Two that create the same at once would trip over each other in the catalogue.
SELECT pg_advisory_xact_lock(hashtextextended('postrider.schema', 0));

CREATE SCHEMA IF NOT EXISTS postrider;

-- The versions of this schema that were applied; the newest counts.
CREATE TABLE IF NOT EXISTS postrider.schema_version (
    version    integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- What could not be delivered: events that were turned away, and pushes that Redis refused for good.
CREATE TABLE IF NOT EXISTS postrider.dead_letters (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token         text NOT NULL UNIQUE,                         -- of its last write, so that none counts twice
    kind          text NOT NULL CHECK (kind IN ('event', 'push')),
    route         text NOT NULL,
    channel       text NOT NULL,                                -- that the event came on
    key           text NOT NULL DEFAULT '',
    payload       text NOT NULL,                                -- the event as it came, or the body as it leaves
    target_kind   text NOT NULL DEFAULT '',                     -- list, stream or pubsub
    target        text NOT NULL DEFAULT '',
    target_length bigint NOT NULL DEFAULT 0,                    -- about so many entries a stream keeps; 0: all
    seen_in       text NOT NULL DEFAULT '',                     -- the set in Redis that remembers the ids
    seen          text[] NOT NULL DEFAULT '{}',                 -- by turns an id's time (ms since 1970) and the id
    reason        text NOT NULL,                                -- one word: not_json, no_key, WRONGTYPE …
    error         text NOT NULL,                                -- the sentence for people
    attempts      bigint NOT NULL DEFAULT 1,                    -- how often it came, or was tried
    first_at      timestamptz NOT NULL,
    last_at       timestamptz NOT NULL
);
-- Finds the same event that came before.
CREATE INDEX IF NOT EXISTS dead_letters_payload ON postrider.dead_letters (hashtextextended(payload, 0));

-- Events that wait for Redis, in order, where the memory may hold no more of them.
CREATE TABLE IF NOT EXISTS postrider.parked (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL,                                      -- of the bridge that put it aside
    channel text NOT NULL,
    numbers text NOT NULL,                                      -- by route, its number there: "bot_events 17"
    payload text NOT NULL                                       -- the event as it came
);
CREATE INDEX IF NOT EXISTS parked_in_order ON postrider.parked (name, id);
-- Tells a new leader at once what is there, by channel and by the marker ("@@") that the events lie behind.
CREATE INDEX IF NOT EXISTS parked_stretches ON postrider.parked
    (name, channel, coalesce(CASE WHEN numbers LIKE '%@@%' THEN substring(numbers FROM '@@([^ ]+)') END, ''), id);

-- Version 1 had the dead letters alone; 2 came with what is parked.
INSERT INTO postrider.schema_version (version) VALUES (2) ON CONFLICT DO NOTHING;
