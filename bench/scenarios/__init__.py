"""One module for each scenario: `async def run(bench, pictures) -> Report`, its figures and why its numbers are so."""
