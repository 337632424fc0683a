"""`python -m standins.demo`: a participant who walks all 14 operations, and the page that shows what came of it."""
