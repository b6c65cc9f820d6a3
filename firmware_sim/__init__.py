"""A park without hardware: register-level devices, load and solar physics, faults, scenarios."""
