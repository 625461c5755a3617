"""What audio is like: audio in, frozen values out."""
