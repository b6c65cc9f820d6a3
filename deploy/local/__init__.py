"""A whole park on one machine: servers from wheels, processes supervised."""
