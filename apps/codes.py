"""The `code` of the envelope: who can mend it."""

SUCCESS = 0
BUSINESS_FAIL = 1
"""The caller can mend it."""
MODEL_FAIL = 2
"""Stable Diffusion, the chat service or the multi-view service did not deliver."""
SERVER_FAIL = 3
"""The server or its database failed."""
