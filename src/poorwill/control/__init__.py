"""The loop: observe, decide, record, apply. The only room that changes instances."""
