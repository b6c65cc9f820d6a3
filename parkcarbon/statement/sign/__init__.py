"""Signing of statements, and checking of signatures: Ed25519 over the JSON, PAdES over the PDF."""
