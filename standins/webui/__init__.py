"""A stand-in for the AUTOMATIC1111 Stable Diffusion WebUI v1.10.1: its HTTP API without models and without a GPU."""
