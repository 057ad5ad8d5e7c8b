"""One model of hours across the APIs: SQL made from their mappings, run in the warehouse."""
