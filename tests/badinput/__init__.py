"""What a producer may give by mistake, and what becomes of it."""
