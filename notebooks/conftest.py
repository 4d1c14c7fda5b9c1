"""What nbval says when a notebook no longer gives what it holds: which cell, what was expected, what came, what now."""

import difflib
import os
import re

import pytest
from nbval.plugin import IPyNbCell, NbCellError

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item):
    if getattr(item.parent, "stopped_at", None):
        pytest.skip(f"{item.parent.stopped_at} failed; what comes after it may be wrong for that reason alone")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if isinstance(item, IPyNbCell) and call.excinfo and isinstance(call.excinfo.value, NbCellError):
        report.longrepr = explain(item, call.excinfo.value)
        if any(output.output_type == "error" for output in item.test_outputs):
            item.parent.stopped_at = f"code cell {item.cell_num + 1}"
    return report


def explain(cell: IPyNbCell, error: NbCellError) -> str:
    chapter = f"solutions/{cell.path.stem}" if cell.path.parent.name == "solutions" else cell.path.stem
    expected, came = (_as_lines(outputs) for outputs in (cell.cell.outputs, cell.test_outputs))
    difference = difflib.unified_diff(
        expected, came, f"expected, from notebooks/{chapter}.ipynb", "came", n=2, lineterm=""
    )
    source = "\n".join(f"    {line}" for line in cell.cell.source.splitlines())
    return "\n".join(
        [
            f"{chapter}, code cell {cell.cell_num + 1}: {error}",
            source,
            *(line[:300] for line in list(difference)[:60]),
            f"If what came is right: make notebooks NAME={chapter}, and read the difference to the old one in git.",
            f"If it is wrong, mend the cell in notebooks/{chapter}.md, or what it calls in tfmlib.",
        ]
    )


def _as_lines(outputs) -> list[str]:
    lines = []
    for output in outputs:
        if output.output_type == "stream":
            parts = {output.name: output.text}
        elif output.output_type == "error":
            parts = {"error": f"{output.ename}: {output.evalue}\n" + "\n".join(output.traceback)}
        else:
            parts = output.data
        for kind, text in parts.items():
            lines += [f"[{kind}]", *re.sub(r"\x1b\[[\d;]*m", "", str(text)).splitlines()]
    return lines
