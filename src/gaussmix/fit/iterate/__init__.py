"""The loop of EM: one mixture or several side by side, when it stops, and what makes it faster."""
