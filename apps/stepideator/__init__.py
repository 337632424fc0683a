"""The StepIdeator front end's app: four representations, 14 operations, the participant's saved state and times."""
