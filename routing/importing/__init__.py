"""Importing: other people's files become areas, rules, teams and contacts, all of a file or none of it."""
