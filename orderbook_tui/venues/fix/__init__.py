"""Venues that speak FIX. What is here needs the extra `fix` (fixcore-engine)."""
