"""Is the model the raw tables', to the second, and are its rows plausible?"""
