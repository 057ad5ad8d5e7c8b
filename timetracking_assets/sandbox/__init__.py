"""A local server that speaks the five APIs, for the demo, the docs and the tests.

What belongs here: the served data, the five APIs' behaviour, and controls to change both while the
server runs. What does not: anything that reads the product's own configuration. The sandbox is
written from the APIs' documents, so that it can disagree with the product.

Importing this package loads no web framework; starting a server does.
"""

from timetracking_assets.sandbox.credentials import CREDENTIALS, sandbox_environment
from timetracking_assets.sandbox.run import PortInUseError, SandboxServer, serve

__all__ = ["CREDENTIALS", "PortInUseError", "SandboxServer", "sandbox_environment", "serve"]
