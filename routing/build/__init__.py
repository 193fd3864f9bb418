"""Makes the tables of `routing/data` from published packages. For developers; nothing here runs in
production."""
