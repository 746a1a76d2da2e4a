//! Session shards, group commit, timers, outbox relay.
