"""The pool of Stable Diffusion WebUIs: what each does, and changing it while the server runs."""
