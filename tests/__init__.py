"""The tests. A package, lest another one of this name that some library installs is found instead."""
