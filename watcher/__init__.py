"""The folder door: watches export folders and turns each whole file into a job."""
