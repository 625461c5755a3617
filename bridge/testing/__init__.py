"""Public helpers for tests: seeded signals, fakes and contract suites."""
