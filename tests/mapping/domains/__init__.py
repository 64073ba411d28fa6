"""One file for each group of domains: what their states say, and which actions a set of values becomes."""
