"""What an operator runs, behind the scripts of the same names."""
