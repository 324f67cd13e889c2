"""What is broken, and what has to hold all the same."""
