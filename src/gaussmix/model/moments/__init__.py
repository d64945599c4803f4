"""Second-order features of the rows, their moments, and the coordinates that both are seen in."""
