"""The pages without code say what the code does: names, sizes, colours and messages."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tfmlib.checkpoint import Translator
from tfmlib.checks import EXERCISES
from tfmlib.draw import PALETTE
from tfmlib.transformer import Transformer, TransformerConfig

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
MODULES = [path.stem for path in (ROOT / "tfmlib").glob("[a-z]*.py")] + ["corpus", "checks", "draw"]


def page(name: str) -> str:
    return (BOOK / f"{name}.md").read_text(encoding="utf-8")


def rows(text: str, head: str) -> list[list[str]]:
    """The rows of the first table whose first line begins with `head`, as cells."""
    lines = text[text.index(head) :].splitlines()
    table = lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


@pytest.mark.parametrize("name", ["from_paper_to_code", "from_torch_to_tfmlib", "notation", "how_to_use"])
def test_each_name_of_the_package_that_a_page_gives_is_there(name):
    names = re.findall(rf"`(?:tfmlib\.)?({'|'.join(MODULES)})\.(\w+)", page(name))
    for module, thing in names:
        assert hasattr(importlib.import_module(f"tfmlib.{module}"), thing), f"{module}.{thing}"
    assert names or name in ("notation", "how_to_use")


def test_the_sizes_of_the_three_models_are_those_of_the_presets():
    fields = {"D": "d_model", "H": "n_heads", "F": "d_ff", "N": "n_layers", "dropout": "dropout"}
    told = {name: cells for name, *cells in rows(page("notation"), "| size | base | big | course |")}
    shipped = Translator.load().model.config
    configs = [TransformerConfig.preset(name, 99, 99) for name in ("base", "big")] + [shipped]
    for name, field in fields.items():
        assert [float(cell.replace(",", "")) for cell in told[name]] == [getattr(c, field) for c in configs], name
    assert [int(cell) for cell in told["K"]] == [c.d_model // c.n_heads for c in configs]
    small = TransformerConfig.preset("small", shipped.source_vocab_size, shipped.target_vocab_size, dropout=0.0)
    assert small == shipped
    for number in (shipped.source_vocab_size, shipped.target_vocab_size, parameters(Transformer(shipped))):
        assert f"{number:,}" in page("notation"), number


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_papers_models_have_as_many_parameters_as_the_page_says():
    with torch.device("meta"):
        counts = [parameters(Transformer(TransformerConfig.preset(name, 37_000, 37_000))) for name in ("base", "big")]
    base, big = (f"{count / 1e6:.1f}" for count in counts)
    assert f"37,000\ntokens, have {base} and {big} million" in page("from_paper_to_code")


def test_the_colours_on_the_page_are_those_of_the_palette():
    told = re.findall(r"light-dark\((#\w+), (#\w+)\)", page("notation"))
    assert told == list(PALETTE.values())


def test_the_model_of_the_page_and_its_twin_give_the_same():
    blocks = re.findall(r"```python\n(.*?)```", page("from_torch_to_tfmlib"), re.DOTALL)
    masks, models = blocks
    names = {"source": torch.tensor([[5, 6, 7, 0], [5, 6, 7, 8]]), "T": 3}
    torch.manual_seed(0)
    exec(models + masks, names)
    x, y = torch.randn(2, 4, 64), torch.randn(2, 3, 64)
    memory = names["ours"].encoder(x, names["may_attend"])
    expected = names["theirs"](
        x,
        y,
        tgt_mask=names["future"],
        src_key_padding_mask=names["left_out"],
        memory_key_padding_mask=names["left_out"],
    )
    torch.testing.assert_close(names["ours"].decoder(y, memory, names["may_attend"]), expected)


def test_the_messages_for_when_something_goes_wrong_are_the_real_ones():
    quoted = re.findall(r"^- `([^`]+)`:", page("how_to_use"), re.MULTILINE)
    sources = [ROOT / "Makefile", *(ROOT / "tfmlib").glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources).replace("$(PORT)", "8000")
    ours = [text for text in quoted if not re.match(r"make:|\w+Error:", text)]
    for text in ours:
        said = re.sub(r"^'\w+' |\d+ words|^id \d+ ", "", text)  # what stands for a word, a count, an id
        assert all(part.strip() in code for part in said.split("the  ")), text
    assert len(ours) >= 5


def test_the_exercise_on_the_page_and_what_the_check_says_there_are_real():
    text = page("how_to_use")
    code, number = re.search(r"```python\n(def .*?)\n*check\(\"(.+?)\"", text, re.DOTALL).groups()
    exercise = EXERCISES[number]
    assert f"def {exercise.name}(" in code
    diagnosis = " ".join(re.search(r"the check says which: \*(.+?)\*", text, re.DOTALL)[1].split())
    assert diagnosis in [mistake.diagnosis for mistake in exercise.mistakes]
    assert f'hint("{number}")' in text
