"""Instruments: certificates, contracts and credits, what each may be used for, and what they cover."""
