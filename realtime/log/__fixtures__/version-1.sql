-- A log as version 1 of the tables kept it.
CREATE TABLE log_meta (version INTEGER NOT NULL, epoch TEXT NOT NULL) STRICT;
INSERT INTO log_meta VALUES (1, 'first-epoch');
CREATE TABLE log_channels (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  seq INTEGER NOT NULL DEFAULT 0,
  at INTEGER NOT NULL DEFAULT 0,
  first INTEGER NOT NULL DEFAULT 1,
  first_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE log_messages (
  channel INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  payload TEXT NOT NULL,
  sender TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (channel, seq),
  UNIQUE (channel, id)
) STRICT;
INSERT INTO log_channels (id, name, seq, at, first, first_at) VALUES (1, 'a', 2, 1000, 1, 1000);
INSERT INTO log_messages (channel, seq, id, event, payload, sender, at) VALUES
  (1, 1, '0198b7c4-0000-7000-8000-000000000001', 'said', '"first"', 'null', 1000),
  (1, 2, '0198b7c4-0000-7000-8000-000000000002', 'said', '"second"', 'null', 1000);
