"""What the journal says it cost, what was saved, and what a month looked like: reading only."""
