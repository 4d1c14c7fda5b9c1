"""The package's own source on a page, never a second copy of it."""

import inspect
import textwrap


class Source:
    """The source of a function or a class, as a page shows code."""

    def __init__(self, thing):
        self.text = textwrap.dedent(inspect.getsource(thing)).rstrip()

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"
