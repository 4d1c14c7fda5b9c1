"""An error inside the learner's code, in the learner's terms: at which line it rose, and what such an error means."""

import builtins
import difflib
import inspect
import linecache
import os
import re
import traceback

# Well-known names, and the line that brings each.
IMPORTS = {
    "np": "import numpy as np",
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "Counter": "from collections import Counter",
    "defaultdict": "from collections import defaultdict",
    "pairwise": "from itertools import pairwise",
    **{name: f"import {name}" for name in ("math", "torch", "random", "itertools", "collections", "copy", "re")},
}

# By the type of an error: what its message says, and what that means; {0}, {1} … are the groups of the pattern.
MEANINGS = {
    Exception: {
        r"'NoneType'": (
            "Something in this line is None: a function without `return` gives that, and so do `print` and `.sort()`."
        ),
        r"[Dd]imension out of range|axis -?\d+ is out of bounds": (
            "The tensor has no such axis. The first axis is 0; −1 is the last."
        ),
        r"same dtype|expected scalar type|can't be cast|not implemented for '|infer output dtype": (
            "The dtypes do not fit, such as whole numbers where decimal ones are needed, or float32 beside "
            "float64: `.to(other.dtype)` turns one into the other."
        ),
        r"truth value of an array|Boolean value of Tensor": (
            "`if`, `and`, `or` need one True or False, and here are several. `.all()` and `.any()` make one of "
            "them; `&` and `|` join them one by one, and `~` stands for `not`."
        ),
        r"only one element tensors|converted to Scalar|single element can be converted": (
            "One number is needed here, and this is a tensor of several."
        ),
    },
    NameError: {
        r"name '(\w+)' is not defined": (
            "Nothing has the name `{0}`: is it misspelt, or the cell that makes it not run?"
        ),
    },
    UnboundLocalError: {
        r"variable '(\w+)'": (
            "`{0}` is used before it has a value: give it one first, on every way through the function."
        ),
    },
    RuntimeError: {
        r"mat1 and mat2.*\((\d+)x(\d+) and (\d+)x(\d+)\)": (
            "For `A @ B`, A needs as many columns as B has rows. Here A is {0} × {1} and B is {2} × {3}: is one "
            "to be transposed, or do they stand in the wrong order?"
        ),
        r"tensor a \((\d+)\) must match .* tensor b \((\d+)\).* dimension (\d+)": (
            "The two shapes do not fit: along axis {2} one has {0} and the other {1}. Sizes must be equal, or "
            "one of them 1. Print both shapes."
        ),
        r"einsum\(\)": (
            "In an `einsum`, one letter is one size, and each tensor has as many letters as axes. Print the shapes."
        ),
        r"shape '\[([\d, -]+)\]' is invalid for input of size (\d+)": (
            "{1} numbers cannot be laid out in the shape ({0}): the product of the sizes must be {1}."
        ),
        r"view size is not compatible": (
            "`view` does not move numbers in memory, and after a transpose they would have to be moved: use `reshape`."
        ),
        r"stack expects each|Sizes of tensors must match": (
            "The tensors to be put together have different shapes. Print them."
        ),
        r"'indices'.*scalar types|index tensor of type LongTensor": (
            "Ids must be whole numbers: `.long()` makes them so."
        ),
        r"Class values must be smaller": (
            "An id is as large as the number of classes, or larger. Ids go from 0 to one less."
        ),
        r"can't allocate memory|not enough memory": (
            "This asks for more memory than there is: is a size much too large?"
        ),
        r"requires? grad": (
            "This tensor takes part in learning (it requires a gradient): `.detach()` gives its numbers alone."
        ),
    },
    ValueError: {
        r"matmul: .*size (\d+) is different from (\d+)": (
            "For `A @ B`, A needs as many columns as B has rows. Here A has {1} columns and B has {0} rows: is "
            "one to be transposed, or do they stand in the wrong order?"
        ),
        r"broadcast together with shapes (\([\d, ]+\)) (\([\d, ]+\))": (
            "The shapes {0} and {1} do not fit: from the last axis on, sizes must be equal, or one of them 1."
        ),
        r"(too many|not enough) values to unpack": (
            "There are {0} values for the names that take them: on the left of `=`, or between `for` and `in`."
        ),
        r"not in (list|tuple)|index\(x\): x": (
            "`.index` looks for something that is not there. Ask first with `in`, and say what comes if it is missing."
        ),
        r"expected sequence of length (\d+) at dim \d+ \(got (\d+)\)": (
            "The rows of a tensor are all of one length. Here one has {0} items and another {1}."
        ),
    },
    IndexError: {
        r"index (-?\d+) is out of bounds for .* with size (\d+)": (
            "Index {0} is beyond the end: there are {1}, and counting begins at 0."
        ),
        r"too many indices": "There are more indices between the brackets than the tensor has axes.",
        r"tensors used as indices|only integers": "An index must be a whole number: `.long()` makes it one.",
        r"out of range": (
            "An index is beyond the end. Counting begins at 0, so the last index is one less than the length."
        ),
    },
    TypeError: {
        r"not torch\.Size|'torch\.Size' and|and '(torch\.Size)'": (
            "A shape is several numbers. Take one of them, such as `table.shape[1]`."
        ),
        r"must be real number, not builtin_function_or_method": (
            "A number is needed here, and this is a function: is it to be called, with round brackets?"
        ),
        r"must be Tensor, not ([\w.]+)": (
            "A tensor is needed here, and this is of type `{0}`: `torch.tensor(…)` makes a tensor of it."
        ),
        r"'(?:builtin_function_or_method|function|method|type)' object is not subscriptable": (
            "Square brackets stand behind a function. To call it, write round ones."
        ),
        r"'([\w.]+)' object is not callable": (
            "Round brackets stand behind a value of type `{0}`, which is no function. To take a part of it, "
            "write square ones."
        ),
        r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'": (
            "`{0}` stands between a value of type `{1}` and one of type `{2}`, which do not go together: turn "
            "one into the type of the other."
        ),
        r"can only concatenate (\w+) \(not \"([\w.]+)\"\)": (
            "`+` joins a {0} with another {0}, and this is of type `{1}`."
        ),
        r"missing \d+ required|takes .* arguments?|at least \d+ argument": (
            "A function is called in this line with too few or too many arguments."
        ),
        r"'([\w.]+)' object is not iterable": "A loop cannot go over a value of type `{0}`: is `range(…)` meant?",
        r"interpreted as an integer|tuple of ints|indices must be integers": (
            "A whole number is needed here: `//` divides without decimals, and `int(…)` cuts them off."
        ),
    },
    AttributeError: {
        r"'(list|tuple|int|float|ndarray)' object has no attribute '(\w+)'": (
            "A value of type `{0}` has no `{1}`. If it should be a tensor: `torch.tensor(…)` makes one of it."
        ),
        r"has no attribute '(\w+)'": "It has no `{0}`: is that misspelt, or is the value not what you think? Print it.",
    },
    KeyError: {
        r"(.+)": (
            "The dictionary has no key {0}. Ask with `in` whether it is there, or give `.get` a value for what "
            "is missing."
        ),
    },
    ZeroDivisionError: {"": "Something is divided by zero: which number is 0 for this input?"},
    RecursionError: {"": "The function calls itself again and again: for which input should it stop?"},
    AssertionError: {"": "It is an `assert` of your own that does not hold."},
    SystemExit: {"": "This would end the whole program. To end a function, write `return`."},
}


def meaning(error: BaseException) -> str:
    """What an error means, in a sentence or two; nothing for one that is seldom met."""
    if type(error) is NameError and error.name in IMPORTS:
        return f"`{error.name}` is not imported: write `{IMPORTS[error.name]}` above the function."
    for kind, meanings in MEANINGS.items():
        for pattern, sentence in meanings.items() if isinstance(error, kind) else ():
            if found := re.search(pattern, str(error), re.DOTALL):
                near = _nearest_name(error)
                return sentence.format(*found.groups()) + f" Is `{near}` meant?" * bool(near)
    return ""


def place(error: BaseException, answer) -> tuple[str, str]:
    """Where in the learner's own code an error rose: in words, and the line itself; empty if it is not in it.

    The learner's code is what shares its global names with the answer: in a notebook, all of its cells.
    """
    theirs = getattr(inspect.unwrap(answer), "__globals__", None)
    steps = [step for step in traceback.walk_tb(error.__traceback__) if step[0].f_globals is theirs]
    if not steps:
        return "", ""
    frame, line = steps[-1]
    code = frame.f_code
    file = os.path.basename(code.co_filename) if os.path.exists(code.co_filename) else "its cell"
    inside = f"`{code.co_name}`, " if code.co_name.isidentifier() and len(steps) > 1 else ""
    text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
    return f" in {inside}line {line} of {file}", f"{line} | {text}" if text else ""


def _nearest_name(error: BaseException) -> str:
    """The name that was probably meant where a name is unknown."""
    if isinstance(error, NameError) and error.name:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        known = [*frame.f_locals, *frame.f_globals, *dir(builtins)]
    elif isinstance(error, AttributeError) and error.name:
        known = dir(error.obj)
    else:
        return ""
    return next(iter(difflib.get_close_matches(error.name, known, 1)), "")
