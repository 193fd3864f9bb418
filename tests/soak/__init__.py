"""The soak: tips are filed while processes, broker, database and provider fail at random; then all is counted."""
