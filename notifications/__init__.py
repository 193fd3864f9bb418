"""Telling people that something waits. Never what it says."""
