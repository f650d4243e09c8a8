"""The cases of the rooms; ``CASES`` in ``<room>.py`` are all of a room."""
