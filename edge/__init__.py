"""Edge agent: poll meters and inverters, keep every reading until the cloud has committed it."""
