"""The pure core: facts and a time in, a decision out. No clock, no await, no I/O, no logging."""
