"""Benchmarks of the integration, each in its own file; `scripts/bench` runs them.

They print the figures without judging them, because a shared machine is too unsteady for that. `trace.py` measures nothing:
`scripts/trace` prints the functions that a state change and a property set run through.
"""
