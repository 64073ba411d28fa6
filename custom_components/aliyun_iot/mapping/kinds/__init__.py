"""Conversion of each kind of value to the data types of the thing model and back.

Every function here converts a value of one side to the other side or raises `Refused`; `convert.py` chooses the function.
"""
