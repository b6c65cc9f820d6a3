"""Any figure with its working, down to registers, readings and records."""
