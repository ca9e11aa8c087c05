"""Building blocks of the read models: table definitions, row operations, queries."""
