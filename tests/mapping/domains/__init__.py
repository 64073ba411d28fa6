"""One file for each group of domains: the values of their states, and the actions for a set of values."""
