"""The demonstration's books: what a park would have entered beside its meters, all of it marked as simulated."""
