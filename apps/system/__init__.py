"""What any server has: is it there, and how is it used."""
