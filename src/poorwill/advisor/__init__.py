"""What it would cost, and what would cost less: pure, fed with figures that others gathered."""
