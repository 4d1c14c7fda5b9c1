"""The package's own source on a page, never a second copy of it."""

import inspect
import textwrap


class Source:
    """The source of a function or a class, as a page shows code.

    `first` and `last`: only the lines from the first one that holds the one to the next one that holds the other.
    """

    def __init__(self, thing, first: str = "", last: str = ""):
        lines = inspect.getsource(thing).rstrip().splitlines()
        start = next(i for i, line in enumerate(lines) if first in line)
        end = next((i for i, line in enumerate(lines) if i >= start and last and last in line), len(lines) - 1)
        self.text = textwrap.dedent("\n".join(lines[start : end + 1]))

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"
