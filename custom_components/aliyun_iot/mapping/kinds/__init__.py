"""The way of each kind of value to the data types of the thing model and back.

Every function here takes what one side holds and returns what the other side would, or raises `Refused`; which of
them is asked is settled in `convert.py`.
"""
