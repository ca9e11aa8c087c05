"""Reading of contact files: tables, columns, values and the rows that are skipped."""
