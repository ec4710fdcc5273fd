"""The class of errors that a user can mend. A program reports them in one sentence; any other error is a bug."""


class UserError(ValueError):
    """Input, configuration or machine are not as needed. The message names the file or key, and what to do."""
