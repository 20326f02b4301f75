"""The subcommands of ``secondread`` that need no screen."""
