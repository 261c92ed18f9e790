"""Which models are there: files, families, health. Nothing here computes with torch."""
