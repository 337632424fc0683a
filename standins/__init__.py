"""Stand-ins: separate processes that speak the real protocols where no GPU, key or MongoDB is."""
