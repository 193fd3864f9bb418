"""Organisations, teams, members, contacts and ladders, sign-in and permissions."""
