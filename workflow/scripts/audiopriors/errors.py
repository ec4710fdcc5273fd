"""What the user can mend, as a class: a program says it in one sentence, everything else is a fault of ours."""


class UserError(ValueError):
    """Input, configuration or machine are not as needed; the message names the file or key and what to do."""
