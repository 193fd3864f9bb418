"""How the look is built. Nothing here is imported when Waypost runs."""
