"""Chaos: a real Home Assistant and the simulated cloud under a random load, with faults of every kind between them.

`python -m chaos --minutes M --seed S` (`scripts/chaos`) draws faults, states, events and commands from the seed, runs them,
waits until everything has arrived, and compares both sides. See docs/performance.md.
"""
