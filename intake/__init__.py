"""The public door and the agencies' portal. Holds sealing keys only."""
