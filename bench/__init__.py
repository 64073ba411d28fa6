"""Benchmarks of the integration, each in its own file; `scripts/bench` runs them.

They print what they measured and judge nothing: a shared machine is no judge.
"""
