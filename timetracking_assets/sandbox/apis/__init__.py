"""How the five APIs answer: one module each, and the HTTP behaviour that they share.

What belongs here: paths, credentials, parameters, envelopes. What does not: the rows (`dataset`,
`state`), faults and the request log.
"""
