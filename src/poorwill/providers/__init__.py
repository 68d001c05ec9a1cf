"""Where instances live. One file each; all of them speak ``providers.base``."""
