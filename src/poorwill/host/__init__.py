"""This host's processes: which is which, and when one ends. Envoy and process instances need both."""
