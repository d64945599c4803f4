"""What the distribution of a mixture comes to: pure functions of a mixture, one idea a file."""
