"""The teams' door: board, reading, acknowledging, handing on, documenting."""
