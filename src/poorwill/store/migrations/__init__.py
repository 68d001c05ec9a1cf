"""The journal's schema through time; run by ``store.migrate`` only."""
