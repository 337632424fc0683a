"""The sampler and scheduler names that AUTOMATIC1111's WebUI 1.10 understands.

Source: the recorded answers of `/sdapi/v1/samplers` and `/sdapi/v1/schedulers` of version 1.10.1. The WebUI
takes an unknown name without an error and uses another sampler, so the names are checked here. The aliases
that it lists (`k_euler_a`…) are left out on purpose: it does not accept them either.
"""

SAMPLERS = frozenset(
    (
        "DDIM", "DDIM CFG++", "DPM adaptive", "DPM fast", "DPM++ 2M", "DPM++ 2M SDE", "DPM++ 2M SDE Heun",
        "DPM++ 2S a", "DPM++ 3M SDE", "DPM++ SDE", "DPM2", "DPM2 a", "Euler", "Euler a", "Heun", "LCM", "LMS",
        "PLMS", "Restart", "UniPC",
    )
)  # fmt: skip

SCHEDULER_LABELS = frozenset(
    (
        "Align Your Steps", "Automatic", "Beta", "DDIM", "Exponential", "KL Optimal", "Karras", "Normal",
        "Polyexponential", "SGM Uniform", "Simple", "Uniform",
    )
)  # fmt: skip

# The WebUI finds a scheduler by its label and by its internal name, which is the label in small letters.
SCHEDULERS = SCHEDULER_LABELS | {label.lower().replace(" ", "_") for label in SCHEDULER_LABELS}

# Until version 1.8 the schedule was part of the sampler's name; newer versions still split such a name.
COMBINED_SAMPLERS = frozenset(f"{sampler} {label}" for sampler in SAMPLERS for label in SCHEDULER_LABELS)
