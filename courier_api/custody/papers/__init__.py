"""Papers about custody, as PDF: the citizen's receipt, the record between offices, the slip about missing documents."""
