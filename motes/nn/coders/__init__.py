"""Networks from pictures to codes and back."""
