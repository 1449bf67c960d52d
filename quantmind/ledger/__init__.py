"""What an account holds, in Decimal."""
