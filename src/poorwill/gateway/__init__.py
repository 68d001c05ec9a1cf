"""The request's way: Envoy in front, the gate beside it, the pages visitors see."""
