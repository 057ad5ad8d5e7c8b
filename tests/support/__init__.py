"""What tests are made with, a module for each role; fixtures are in the conftests."""
