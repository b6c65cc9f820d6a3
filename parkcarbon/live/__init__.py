"""A park as it is now: its model, the newest readings, power, and the figures that follow from them."""
