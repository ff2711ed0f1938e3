"""Starts what the tests need (a Postgres, the real server) and speaks to it as a client would."""
