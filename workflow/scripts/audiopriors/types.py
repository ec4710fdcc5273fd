"""Types of settings that say their bounds; they hold plain numbers, and the config's schema is made of them."""

Count = int
"A whole number, 1 or more."

Positive = float
"A number above 0."

NonNegative = float
"A number, 0 or more."

Share = float
"A number from 0 to 1."
