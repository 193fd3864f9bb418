"""Benchmarks: what the house can carry, as ratios against something simple in the same run. Not tests."""
