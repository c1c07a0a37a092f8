"""The screens, one module and one `.tcss` each."""
