"""What the contenders from other projects need: a locked environment each, and what their users
would write, a tap for Singer and a manifest for Airbyte.

Nothing here is imported by anything else in this package but `environments`.
"""
