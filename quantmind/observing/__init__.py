"""Looking at a running pipeline from outside: who only listens to it, and what it makes of what it hears."""
