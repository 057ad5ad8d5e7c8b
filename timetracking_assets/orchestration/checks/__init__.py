"""Asset checks: does a table equal the answer, and are its rows plausible?"""
