"""Where rows come from: tables in files, read into plain arrays, and tables written back."""
