"""What nbval does not look at in the notebooks; and that nbval and each check here find the faults planted for them."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"

sys.path.insert(0, str(NOTEBOOKS))
import make  # noqa: E402

TEXTS = list(make.texts().values())

# Every exemption from "each cell is executed and its output compared": (chapter, tag) → (how many cells, why).
EXEMPTIONS: dict[tuple[str, str], tuple[int, str]] = {}
EXEMPTING_TAGS = {"raises-exception", "skip-execution", "remove-stderr"}


def exemptions(notebook) -> Counter:
    """The tags and comments in a notebook by which a cell is not executed, not compared, or may fail."""
    found = Counter()
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        found.update(tag for tag in tags if tag in EXEMPTING_TAGS or tag.startswith("nbval-"))
        if cell.cell_type == "code":
            found.update(re.findall(r"^\s*#\s*(NBVAL_\w+|PYTEST_VALIDATE_\w+)", cell.source, re.MULTILINE))
    return found


def faults(text: Path) -> list[str]:
    """What is wrong with the notebook beside a text, apart from the value of its outputs, which nbval compares."""
    content = text.with_suffix(".ipynb").read_text(encoding="utf-8")
    made, wanted = nbformat.reads(content, as_version=4), make.convert(text)
    found = []
    if made.metadata != wanted.metadata:
        found.append(f"the notebook's metadata is {made.metadata}")
    ours, theirs = ([(c.cell_type, c.source, c.metadata, c.id) for c in notebook.cells] for notebook in (wanted, made))
    if ours != theirs:
        first = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), "the last")
        found.append(f"text and notebook do not hold the same cells: the first that differs is {first}")
    if len({cell.id for cell in made.cells}) != len(made.cells):
        found.append("two cells have one id")
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"the execution counts are {counts}, not 1 to {len(code)}")
    for number, cell in enumerate(code, 1):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                found.append(f"code cell {number} wrote to stderr: {output.text}")
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                found.append(f"code cell {number} holds an error: {output.ename}: {output.evalue}")
            if {"image/png", "image/jpeg"} & set(output.get("data", ())):
                found.append(f"code cell {number} holds a picture that nbval does not compare; make it SVG")
    outputs = json.dumps([cell.outputs for cell in code], ensure_ascii=False)
    machine = r"/home/|/Users/|/tmp/|/root/|[A-Z]:\\\\|site-packages|ipykernel_\d|\b0x[0-9a-f]{6,}|" + re.escape(
        str(ROOT)
    )
    found += [f"an output holds what only one machine says: {hit}" for hit in re.findall(machine, outputs)]
    return [f"{make.name_of(text)}: {what}. make notebooks NAME={make.name_of(text)}" for what in found]


def test_every_text_has_a_notebook_and_every_notebook_a_text():
    notebooks = {
        path.with_suffix(".md") for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
    }
    assert set(TEXTS) == notebooks != set()


@pytest.mark.parametrize("text", TEXTS, ids=make.name_of)
def test_a_notebook_is_its_text_executed_in_order_without_errors_or_warnings(text):
    assert faults(text) == []


def test_every_exemption_is_listed_with_its_reason():
    found = {(make.name_of(t), tag): n for t in TEXTS for tag, n in exemptions(make.convert(t)).items()}
    assert found == {key: count for key, (count, _) in EXEMPTIONS.items()}


# ---- The checks, each with a fault planted. The chapter needs no torch, so that it is made in a second.

CHAPTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A chapter

```{code-cell} ipython3
:tags: [hide-input]
x = 6 * 7
print(x)
```

```{code-cell} ipython3
from IPython.display import HTML
HTML(f'<svg viewBox="0 0 50 50"><rect width="{x}" height="8"/></svg>')
```
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "01_tiny.md").write_text(CHAPTER, encoding="utf-8")
    make.make(folder / "01_tiny.md")
    return folder


@pytest.fixture
def chapter(made, tmp_path):
    """The text of a chapter beside its notebook, to be spoilt."""
    for name in ("01_tiny.md", "01_tiny.ipynb"):
        shutil.copy(made / name, tmp_path)
    return tmp_path / "01_tiny.md"


def spoil(text: Path, plant) -> None:
    path = text.with_suffix(".ipynb")
    notebook = nbformat.read(path, as_version=4)
    plant(notebook)
    nbformat.write(notebook, path)


def strip(notebook):
    for cell in notebook.cells[1:]:
        cell.outputs, cell.execution_count = [], None


def swap_counts(notebook):
    notebook.cells[1].execution_count, notebook.cells[2].execution_count = 2, 1


def warn(notebook):
    notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", name="stderr", text="UserWarning: beware"))


def fail(notebook):
    notebook.cells[1].outputs.append(nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[]))


def paint(notebook):
    notebook.cells[2].outputs[0].data["image/png"] = "iVBORw0KGgo="


def tell_path(notebook):
    notebook.cells[1].outputs[0].text = "/home/ann/course/tfmlib"


def tell_address(notebook):
    notebook.cells[1].outputs[0].text = "<function at 0x7f3a2b4c5d6e>"


def tell_version(notebook):
    notebook.metadata.language_info.version = "3.11.7"


def rename_cell(notebook):
    notebook.cells[1].id = "another"


def retag(notebook):
    notebook.cells[1].metadata.tags = []


def change_code(notebook):
    notebook.cells[1].source += "\ny = 1"


def remove_cell(notebook):
    del notebook.cells[2]


def test_a_notebook_fresh_from_its_text_has_no_fault(chapter):
    assert faults(chapter) == []
    assert make.is_made(chapter)


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        (strip, "execution counts"),
        (swap_counts, "execution counts"),
        (warn, "wrote to stderr"),
        (fail, "holds an error: ValueError"),
        (paint, "does not compare"),
        (tell_path, "only one machine says: /home/"),
        (tell_address, "only one machine says: 0x"),
        (tell_version, "metadata"),
        (rename_cell, "the first that differs is 1"),
        (retag, "the first that differs is 1"),
        (change_code, "the first that differs is 1"),
        (remove_cell, "do not hold the same cells"),
    ],
)
def test_a_planted_fault_is_found(chapter, plant, complaint):
    spoil(chapter, plant)
    assert len(found := faults(chapter)) == 1
    assert complaint in found[0]
    assert "01_tiny" in found[0]


def test_an_edited_text_whose_notebook_was_not_made_again_is_found(chapter):
    chapter.write_text(CHAPTER.replace("6 * 7", "7 * 6"), encoding="utf-8")
    assert "the first that differs is 1" in faults(chapter)[0]
    assert not make.is_made(chapter)


def test_an_exempting_tag_or_comment_is_counted(chapter):
    chapter.write_text(
        CHAPTER.replace("hide-input", "raises-exception, nbval-skip").replace("x = 6", "# NBVAL_IGNORE_OUTPUT\nx = 6"),
        encoding="utf-8",
    )
    assert exemptions(make.convert(chapter)) == {"raises-exception": 1, "nbval-skip": 1, "NBVAL_IGNORE_OUTPUT": 1}


def nbval(folder: Path) -> str:
    """The report of nbval on the notebooks of a folder, with our words on failures."""
    shutil.copy(NOTEBOOKS / "conftest.py", folder)
    run = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [*run, "--rootdir", folder, folder], capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    return done.stdout


def test_nbval_finds_a_changed_number_picture_warning_and_error_and_says_what_to_do(chapter):
    def change_number(notebook):
        notebook.cells[1].outputs[0].text = "43\n"

    def change_picture(notebook):
        data = notebook.cells[2].outputs[0].data
        data["text/html"] = data["text/html"].replace('width="42"', 'width="41"')

    spoil(chapter, lambda notebook: (change_number(notebook), change_picture(notebook)))
    text = CHAPTER.replace("print(x)", "import sys; print('beware', file=sys.stderr)")
    (chapter.parent / "02_warning.md").write_text(text, encoding="utf-8")
    make.make(chapter.parent / "02_warning.md")
    spoil(chapter.parent / "02_warning.md", lambda notebook: notebook.cells[1].outputs.clear())

    shutil.copy(chapter.with_suffix(".ipynb"), chapter.parent / "03_error.ipynb")
    spoil(chapter.parent / "03_error.md", lambda notebook: notebook.cells[1].update(source="print(missing)"))

    report = nbval(chapter.parent)
    assert "4 failed, 1 passed, 1 skipped" in report
    assert "01_tiny, code cell 1: Cell outputs differ" in report
    assert "-43\n+42" in report
    assert "01_tiny, code cell 2: Cell outputs differ" in report
    assert '-<svg viewBox="0 0 50 50"><rect width="41"' in report
    assert '+<svg viewBox="0 0 50 50"><rect width="42"' in report
    assert "02_warning, code cell 1: Cell outputs differ" in report
    assert "+[stderr]\n+beware" in report
    assert "03_error, code cell 1: Cell execution caused an exception" in report
    assert "+NameError: name 'missing' is not defined" in report
    assert "make notebooks NAME=01_tiny" in report


def test_nbval_alone_lets_a_stripped_notebook_pass(chapter):
    spoil(chapter, strip)
    assert "2 passed" in nbval(chapter.parent)  # so the execution counts are checked above


# ---- Making notebooks.


def test_a_notebook_made_again_on_another_machine_is_the_same_to_the_byte(tmp_path, monkeypatch):
    shutil.copy(TEXTS[0], tmp_path)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")  # a machine without AVX
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    make.make(tmp_path / TEXTS[0].name)
    assert (tmp_path / TEXTS[0].name).with_suffix(".ipynb").read_bytes() == TEXTS[0].with_suffix(".ipynb").read_bytes()


def test_a_failing_cell_is_named_and_the_old_notebook_stays(chapter):
    before = chapter.with_suffix(".ipynb").read_bytes()
    chapter.write_text(CHAPTER.replace("HTML(f", "HTML(missing, f"), encoding="utf-8")
    with pytest.raises(
        RuntimeError, match=r"01_tiny: code cell 2 failed(.|\n)*NameError: name 'missing'(.|\n)*NAME=01_tiny"
    ):
        make.make(chapter)
    assert chapter.with_suffix(".ipynb").read_bytes() == before
    assert sorted(path.name for path in chapter.parent.iterdir()) == ["01_tiny.ipynb", "01_tiny.md"]


def test_only_what_is_out_of_date_is_made(chapter, monkeypatch, capsys):
    monkeypatch.setattr(make, "FOLDER", chapter.parent)
    monkeypatch.setattr(make, "make", lambda text: None)
    assert make.main([]) == 0
    assert "holds the cells" in capsys.readouterr().out
    for arguments in (["--all"], ["01_tiny"], ["notebooks/01_tiny.md"]):
        assert make.main(arguments) == 0
        assert "made notebooks/01_tiny.ipynb" in capsys.readouterr().out
    spoil(chapter, strip)
    assert make.main([]) == 0
    assert "made notebooks/01_tiny.ipynb" in capsys.readouterr().out


def test_an_unknown_chapter_is_an_error_that_names_those_there_are(chapter, monkeypatch, capsys):
    monkeypatch.setattr(make, "FOLDER", chapter.parent)
    with pytest.raises(SystemExit):
        make.main(["99_nothing"])
    assert "no chapter 99_nothing; there are: 01_tiny" in capsys.readouterr().err
