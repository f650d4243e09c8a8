"""The parts of the one-page report: reading a file, the sections, the page."""
