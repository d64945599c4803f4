"""What other packages take, made from the arrays of a mixture; each package is imported where it is used."""
