"""Models in files: what is read is what was written, and a bad file is named."""

import json
import os

import pytest
import torch
from safetensors.torch import save_file

from tfmlib import checkpoint
from tfmlib.checkpoint import Translator
from tfmlib.transformer import Transformer, TransformerConfig
from tfmlib.vocabulary import BytePairVocabulary, UnknownWordError, Vocabulary

SOURCE = Vocabulary.build(["the animal did not cross the street"], language="en")
TARGET = Vocabulary.build(["l'animal n'a pas traversé la rue"], language="fr")


def new_translator(source=SOURCE, target=TARGET, **changes):
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(len(source), len(target), 8, 2, 12, 1, **changes))
    return Translator(model.double(), source, target, {"recipe": {"steps": 3}})


@pytest.mark.parametrize("joint", [False, True])
def test_what_is_read_is_what_was_written(tmp_path, joint):
    pieces = BytePairVocabulary.build(["l'animal"], 280)
    saved = new_translator(pieces, pieces, share_embeddings=True) if joint else new_translator()
    saved.save(tmp_path / "m.safetensors", torch.float64)
    read = Translator.load(tmp_path / "m.safetensors", torch.float64)
    assert read.model.config == saved.model.config
    assert read.about == saved.about
    assert read.source_vocabulary.tokens == saved.source_vocabulary.tokens
    assert (read.source_vocabulary is read.target_vocabulary) == joint
    assert read.translate("the animal") == saved.translate("the animal")
    for p, q in zip(saved.model.parameters(), read.model.parameters(), strict=True):
        assert torch.equal(p, q)
    assert (read.model.generator.weight is read.model.source_embedding.weight) == joint


def test_the_same_model_is_the_same_bytes(tmp_path):
    for name in "ab":
        new_translator().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_list_is_translated_in_its_order_and_as_one_by_one():
    translator = new_translator()
    texts = ["the street", "the animal did not cross the street", "animal", "did not cross"]
    assert translator.translate(texts, batch=2, max_length=6) == [translator.translate(t, max_length=6) for t in texts]
    assert len(translator.translate(texts, beam=2, max_length=6)) == 4


def test_the_attention_of_every_head_is_given_with_its_words():
    source, target, weights = new_translator().attention("the animal did not cross", "l'animal n'a pas")
    assert source == ["the", "animal", "did", "not", "cross"]
    assert target == ["l'", "animal", "n'", "a", "pas", "<eos>"]
    assert weights["decoder.layers.0.cross_attention"].shape == (2, 6, 5)
    assert weights["encoder.layers.0.self_attention"].shape == (2, 5, 5)


def test_the_attention_of_a_translation_that_takes_all_positions_is_given():
    translator = new_translator(max_length=4)
    assert translator.translate("the animal") == "l'l'l'l'"  # it is not trained, and never ends
    _, target, weights = translator.attention("the animal")
    assert target == ["l'"] * 4
    assert weights["decoder.layers.0.cross_attention"].shape == (2, 4, 2)
    with pytest.raises(ValueError, match="positions for 4"):
        translator.attention("the animal", "l'animal n'a pas")


def test_an_unknown_word_is_named_or_becomes_unk():
    with pytest.raises(UnknownWordError, match="'road'"):
        new_translator().translate("the road")
    assert new_translator().ids(["the road"], strict=False)[0, 1] == 3


def test_vocabularies_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"vocabularies have \(12, 12\).*wants \(10, 12\)"):
        Translator(new_translator().model, TARGET, TARGET)


def test_a_write_that_fails_leaves_the_old_file_and_no_half(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*nothing was changed"):
        checkpoint.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.safetensors"]


def damaged(path):
    new_translator().save(path)
    content = path.read_bytes()
    yield "cut in the weights", content[:-100], "damaged or cut off"
    yield "cut in the head", content[:30], "damaged or cut off"
    yield "empty", b"", "damaged or cut off"
    yield "a text", b"This is not a model, it is a text.", "damaged or cut off"


def test_a_damaged_file_is_named_and_no_traceback_of_another_library_comes(tmp_path):
    path = tmp_path / "m.safetensors"
    for _, content, says in list(damaged(path)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=says) as caught:
            Translator.load(path)
        assert str(path) in str(caught.value)


def test_a_file_of_another_kind_is_named(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="not one that tfmlib wrote"):
        Translator.load(path)
    checkpoint.write(path, {"x": torch.zeros(2)}, {"model": {"heads": 3}})
    with pytest.raises(ValueError, match="no translator of this version"):
        Translator.load(path)
    with pytest.raises(FileNotFoundError, match=r"no model file.*train"):
        Translator.load(tmp_path / "absent")


def test_the_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    new_translator().save(path)
    tensors, about = checkpoint.read(path)
    about["model"]["d_ff"] = 16
    checkpoint.write(path, tensors, about)
    with pytest.raises(ValueError, match=r"another model: decoder.layers.0.feed_forward.inner.bias"):
        Translator.load(path)


def test_nothing_in_the_package_unpickles():
    package = checkpoint.Path(checkpoint.__file__).parent
    for source in package.rglob("*.py"):
        assert not any(word in source.read_text() for word in ("torch.load", "import pickle", "pickle.load")), source


def test_metadata_is_one_json_text(tmp_path):
    path = tmp_path / "m.safetensors"
    new_translator().save(path)
    _, about = checkpoint.read(path)
    assert json.loads(about["source_vocabulary"])["language"] == "en"
