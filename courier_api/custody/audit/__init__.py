"""The auditor: reads what is stored, recomputes what must follow from it, and names each row that is something else."""
