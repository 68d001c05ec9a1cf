"""What it would cost, and what would cost less: calculations with figures that others gathered, and the
tables that they rest on. Only ``catalogue`` asks the network, when a person wants it to.
"""
