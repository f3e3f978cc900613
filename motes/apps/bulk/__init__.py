"""Encoding of many pictures: in parts that can be resumed, in this process or on many machines."""
