"""The report that a producer looks at."""
