"""The record: sealed words, states, custody, receipts, casework."""
