"""The floor: settings, database, outbox, queue, clock, web hardening. Knows no referral."""
