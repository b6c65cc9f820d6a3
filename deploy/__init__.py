"""How ParkCarbon is put on machines."""
