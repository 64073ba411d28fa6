"""Chaos: a real Home Assistant and the simulated cloud under a random load, with everything going wrong between them.

`python -m chaos --minutes M --seed S` (`scripts/chaos`) draws a schedule of faults and a load of states and commands from the
seed, lets them run, waits until the dust has settled, and compares what both sides know. See docs/performance.md.
"""
