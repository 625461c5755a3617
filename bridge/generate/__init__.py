"""Songs from parameters or words."""
