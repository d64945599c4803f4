"""From components to clusters: which belong together, and what tells them apart."""
