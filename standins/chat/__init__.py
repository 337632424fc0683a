"""A stand-in for chat completions, as OpenAI and Azure OpenAI serve them: no model, no key checked."""
