"""Make the notebooks, with their outputs, from their texts.

    python notebooks/make.py                 the notebooks whose text has changed, or that have no outputs
    python notebooks/make.py 01_one_hot      this one, in any case (its solutions: solutions/01_one_hot)
    python notebooks/make.py --all           all of them

A text is MyST Markdown (`NN_name.md`, `bug_museum.md`). It is converted and executed in a fresh kernel, and the result
is written to the `.ipynb` beside it in one step. What is made is the same on every machine: no time, no version, no
path, and a cell's id comes from what the cell says. Whether the outputs are still true is not decided here: `make test`
executes each notebook and compares.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tfmlib.checkpoint import write_atomically

FOLDER = Path(__file__).resolve().parent


METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def texts() -> dict[str, Path]:
    """Each text by its name: the chapters, the museum, then the solutions."""
    found = [*sorted(FOLDER.glob("*.md")), *sorted(FOLDER.glob("solutions/*.md"))]
    return {name_of(path): path for path in found}


def name_of(text: Path) -> str:
    """What `make notebooks NAME=` takes: 01_one_hot, or solutions/01_one_hot."""
    return f"solutions/{text.stem}" if text.parent.name == "solutions" else text.stem


def convert(text: Path) -> nbformat.NotebookNode:
    """The notebook of a text, without outputs."""
    notebook = jupytext.read(text, fmt="md:myst")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    seen = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return notebook


def is_made(text: Path) -> bool:
    """Whether the notebook beside `text` holds the cells of the text, each code cell executed."""
    if not text.with_suffix(".ipynb").exists():
        return False
    made = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    counts = [cell.execution_count for cell in made.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        return False
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    return made == convert(text)


def make(text: Path) -> None:
    """Convert and execute a text, and write its notebook.

    Raises:
        RuntimeError: a cell fails; it names the chapter, the cell and the error. The old notebook stays as it was.
    """
    notebook = convert(text)
    client = NotebookClient(
        notebook,
        timeout=1800,  # chapter 15 trains the model in one cell
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no word on how the kernel is connected
        record_timing=False,
        coalesce_streams=True,  # else how a cell's print is cut into pieces is up to the clock
        resources={"metadata": {"path": str(text.parent)}},
    )
    with tempfile.TemporaryDirectory() as profile:  # nobody's own start-up files for IPython
        environment = {"OMP_NUM_THREADS": "1"} | os.environ | {"IPYTHONDIR": profile}
        with client.setup_kernel(env=environment):
            for position, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, position)
                except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                    raise RuntimeError(_failure(text, notebook, position, error)) from error
    write_atomically(text.with_suffix(".ipynb"), (nbformat.writes(notebook) + "\n").encode())


def _failure(text: Path, notebook, position: int, error: Exception) -> str:
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: position + 1])
    what = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
    source = "\n".join(f"    {line}" for line in notebook.cells[position].source.splitlines())
    return (
        f"{name_of(text)}: code cell {number} failed.\n{source}\n{what}\n"
        f"{text.with_suffix('.ipynb').name} is left as it was. Mend the cell in notebooks/{name_of(text)}.md, "
        f"or what it calls in tfmlib, then: make notebooks NAME={name_of(text)}"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a chapter, such as 01_one_hot; made in any case")
    parser.add_argument("--all", action="store_true", help="make all notebooks, up to date or not")
    options = parser.parse_args(arguments)
    known = texts()
    names = [name_of(Path(name)) for name in options.names]
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"there is no chapter {unknown[0]}; there are: {', '.join(known)}")
    chosen = names or [name for name, text in known.items() if options.all or not is_made(text)]
    failed = 0
    for name in chosen:
        try:
            make(known[name])
            print(f"made notebooks/{name}.ipynb", flush=True)
        except RuntimeError as error:
            print(error, file=sys.stderr)
            failed += 1
    if not chosen:
        print("Every notebook holds the cells of its text. To execute all of them again: make notebooks ALL=1")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
