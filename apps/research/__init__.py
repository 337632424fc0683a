"""What researchers do: log in, lay out studies, watch and read their sessions."""
