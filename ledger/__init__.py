"""What happened, in order, provably. Knows no referral."""
