"""What Poorwill remembers: the journal."""
