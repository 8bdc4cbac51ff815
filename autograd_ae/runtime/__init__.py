"""How a captured program is executed fast."""
