"""What inverters should produce, by the sun over the park and by their neighbours."""
