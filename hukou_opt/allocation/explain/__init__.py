"""What the answer hangs on: shadow prices, the range in which they hold, the range of each cell."""
