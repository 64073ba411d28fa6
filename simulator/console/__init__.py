"""For people and scripts: the command line, the API over HTTP, and ports for tests."""
