"""The command line: python -m tfmlib translate, train, evaluate."""

import os

# Before torch is loaded. A thread that spins while it waits makes two of them ten times slower than one where the
# cores are shared.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import csv
import io
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.distributed as dist

from tfmlib import checkpoint, corpus, decoding, evaluation, training
from tfmlib.checkpoint import Translator
from tfmlib.pairs import decode, read_pairs
from tfmlib.training import PRECISIONS, Interrupted, TrainingConfig
from tfmlib.transformer import PRESETS, Transformer, TransformerConfig
from tfmlib.vocabulary import BytePairVocabulary, Vocabulary

# What `train` does with nothing but its defaults: on the course's corpus, and on real text (--pairs).
COURSE = {
    "preset": "small",
    "steps": 2000,
    "batch_tokens": 3000,
    "learning_rate": 1.5e-3,  # calm: from 2e-3 on the loss jumps, rounding errors grow, another CPU gets another model
    "warmup": 200,
    "schedule": "linear",
    "dropout": 0.0,
    "label_smoothing": 0.1,
    "clip": None,
    "precision": "float64",
    "seed": 1,  # with it, a head finds what a pronoun stands for; not with every one
    "log_every": 50,
    "save_every": 200,
    "threads": 2,
    "device": "cpu",  # float64 on the CPU: the same figures on every machine
}
TEXT = {
    **COURSE,
    "preset": "medium",
    "seed": 0,
    "clip": 1.0,
    "steps": 8000,
    "batch_tokens": 1024,
    "learning_rate": 3e-3,
    "warmup": 800,
    "dropout": 0.1,
    "precision": "float32",
    "log_every": 200,
    "threads": None,
    "device": None,
    "vocabulary_size": 4000,
}
FIRST = os.environ.get("RANK", "0") == "0"  # of the processes of torchrun one alone prints and writes
PAIRS_FOR_THE_LOG = 500  # held-out pairs whose loss the log follows; the scores at the end take all

EXAMPLES = """examples:
  python -m tfmlib translate "the animal did not cross the street because it was too tired"
  python -m tfmlib train --pairs my.tsv --minutes 20"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a user's mistake is one line on stderr and the status 1, a bug keeps its traceback."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    args = _parser().parse_args(arguments or ["--help"])
    args.command_line = arguments
    sys.stdout.reconfigure(encoding="utf-8")  # on some systems a pipe would refuse Chinese
    try:
        return args.run(args)
    except BrokenPipeError:  # the reader of the pipe, say head, has what it wants
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError) as error:
        _say(f"python -m tfmlib: {error}")
        return 1
    except KeyboardInterrupt:
        _say("python -m tfmlib: stopped")
        return 130


def _say(line: str) -> None:
    if FIRST:
        print(line, file=sys.stderr, flush=True)


# ---------------------------------------------------------------------------------------------------- translate


def _translate(args: argparse.Namespace) -> int:
    translator = _load(args.model)
    write = _writer(translator, args)
    for text, where in [(text, "") for text in args.sentences] or _lines_of_standard_input():
        try:
            print(write(text) if text or not where else "", flush=True)  # a blank line of a pipe stays one
        except ValueError as error:
            raise ValueError(f"{where}{error}") from None
    return 0


def _writer(translator: Translator, args: argparse.Namespace) -> Callable[[str], str]:
    if (args.temperature, args.top_k, args.top_p) == (None, None, None):
        return lambda text: translator.translate(text, args.beam or 1)
    if args.beam:
        raise ValueError("--beam looks for the best translation and --temperature, --top-k, --top-p draw one: choose.")
    temperature = 1.0 if args.temperature is None else args.temperature
    top_p = 1.0 if args.top_p is None else args.top_p

    def draw(text: str) -> str:
        source = translator.ids([text])
        (words,) = decoding.sample(translator.model, source, temperature, args.top_k, top_p, generator)
        return translator.target_vocabulary.decode(words)

    generator = torch.Generator(next(translator.model.parameters()).device).manual_seed(args.seed)
    return draw


def _lines_of_standard_input() -> Iterable[tuple[str, str]]:
    if sys.stdin.isatty():
        _say("One sentence a line; ctrl-D ends.")
    for number, line in enumerate(sys.stdin.buffer, 1):
        where = f"standard input, line {number}"
        yield decode(line, where).strip(), f"{where}: "


def _load(path: Path | str) -> Translator:
    translator = Translator.load(path, torch.float64)
    if translator.about.get("recipe", {}).get("precision") != "float64":
        translator.model.float().to(training.default_device())
    return translator


# ----------------------------------------------------------------------------------------------------- evaluate


def _evaluate(args: argparse.Namespace) -> int:
    translator = _load(args.model)
    if args.pairs:
        pairs = read_pairs(args.pairs)[: args.limit]
        evaluations = [evaluation.evaluate_pairs(translator, pairs, args.pairs.name, args.beam)]
    else:
        evaluations = _evaluate_splits(translator, args.beam, args.limit)
    _print_scores(evaluations)
    if not args.pairs:
        print(f"\n{evaluation.table_of_heads(translator, corpus.load('coreference')[: args.limit])}")
    return 0


def _print_scores(evaluations: list[evaluation.Evaluation]) -> None:
    print(evaluation.table(evaluations))
    print(f"\n{evaluations[0].scores.signature}")


def _evaluate_splits(translator: Translator, beam: int = 1, limit: int | None = None) -> list[evaluation.Evaluation]:
    evaluations = []
    for split in corpus.SPLITS[1:]:  # all but train
        sentences = corpus.load(split)[: limit and limit + limit % 2]  # the two of a minimal pair stay together
        _say(f"{split}: {len(sentences):,} sentences")
        evaluations.append(evaluation.evaluate_corpus(translator, sentences, split, beam))
    return evaluations


# -------------------------------------------------------------------------------------------------------- train


@dataclass
class _Data:
    """What there is to learn, as ids, and what is asked at the end."""

    about: dict[str, str | None]
    train: list[training.Pair]
    held_out: list[training.Pair]
    vocabularies: tuple  # source, target
    evaluate: Callable[[Translator], list[evaluation.Evaluation]]


def _course_data(args: argparse.Namespace) -> _Data:
    splits = [corpus.load("train"), corpus.load("held_out", PAIRS_FOR_THE_LOG)]
    languages = (args.source, args.target)
    texts = [[tuple(" ".join(s.words[language]) for language in languages) for s in split] for split in splits]
    sides = zip(*texts[0], strict=True)
    vocabularies = tuple(
        Vocabulary.build(side, language=language) for side, language in zip(sides, languages, strict=True)
    )
    ids = [[_encode(pair, vocabularies) for pair in split] for split in texts]
    about = {"corpus": "tfmlib.corpus", "source": args.source, "target": args.target}
    return _Data(about, *ids, vocabularies, _evaluate_splits)


def _text_data(args: argparse.Namespace, vocabulary_size: int) -> _Data:
    pairs = read_pairs(args.pairs)
    if args.held_out:
        held_out, name = read_pairs(args.held_out), args.held_out.name
    else:
        n = min(1000, max(1, len(pairs) // 50))
        held_out, name = pairs[:: len(pairs) // n][:n], "held out"
        _say(f"{len(held_out):,} of the {len(pairs):,} pairs are held out of training, for the log and the scores")
    unseen = set(held_out)
    seen = [pair for pair in pairs if pair not in unseen]
    if len(pairs) - len(seen) > (0 if args.held_out else len(held_out)):
        _say(f"{len(pairs) - len(seen):,} pairs of {args.pairs} are, word for word, held-out ones: not trained on")
    if not seen:
        raise ValueError(f"{args.pairs}: no pair is left to train on beside those held out; give more pairs.")
    vocabulary = BytePairVocabulary.build((text for pair in seen for text in pair), vocabulary_size)
    vocabularies = (vocabulary, vocabulary)
    ids = [[_encode(pair, vocabularies) for pair in part] for part in (seen, held_out[:PAIRS_FOR_THE_LOG])]
    about = {"corpus": args.pairs.name, "held_out": args.held_out and args.held_out.name}
    return _Data(about, *ids, vocabularies, lambda t: [evaluation.evaluate_pairs(t, held_out, name)])


def _encode(pair: tuple[str, str], vocabularies: tuple) -> training.Pair:
    return tuple(vocabulary.encode(text, strict=False) for vocabulary, text in zip(vocabularies, pair, strict=True))


def _fitting(pairs: list[training.Pair], positions: int, batch_tokens: int, part: str) -> list[training.Pair]:
    fitting = [
        (source, target)
        for source, target in pairs
        if max(len(source), len(target) + 1) <= positions and len(source) + len(target) + 2 <= batch_tokens
    ]
    if len(fitting) < len(pairs):
        _say(
            f"{len(pairs) - len(fitting):,} of {len(pairs):,} pairs {part} are left out: "
            f"they are longer than {positions} tokens a side, or than a batch of {batch_tokens}"
        )
    return fitting


def _train(args: argparse.Namespace) -> int:
    given = {name: value for name, value in vars(args).items() if name in TEXT}
    recipe = {**(TEXT if args.pairs else COURSE), **given}
    _check_what_to_learn(args, recipe)
    config = TrainingConfig(**{f.name: recipe[f.name] for f in fields(TrainingConfig)})
    device = _device(recipe["device"])
    if recipe["threads"]:
        torch.set_num_threads(recipe["threads"])
    name = args.pairs.name.split(".")[0] if args.pairs else f"{args.source}-{args.target}"
    folder = args.output or Path("runs") / f"{name}-{recipe['preset']}"
    model_file, state_file, log_file = (folder / name for name in ("model.safetensors", "state.safetensors", "log.csv"))
    _refuse_to_overwrite(args, model_file, state_file)

    data = _text_data(args, recipe["vocabulary_size"]) if args.pairs else _course_data(args)
    model = _new_model(recipe, data).to(device)
    limits = model.config.max_length, config.batch_tokens
    pairs, held_out = _fitting(data.train, *limits, "to train on"), _fitting(data.held_out, *limits, "held out")
    _say(
        f"{len(pairs):,} pairs, vocabularies of {' and '.join(f'{len(v):,}' for v in data.vocabularies)} tokens, "
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {config.steps:,} steps on {device}"
    )
    folder.mkdir(parents=True, exist_ok=True)  # where it cannot be, the run ends here and not hours later
    if not state_file.exists():
        log_file.unlink(missing_ok=True)
    about = {**data.about, "recipe": recipe}
    on_bar = sys.stderr.isatty()
    log = _logger(log_file, config, show=not on_bar)
    timer = threading.Timer(60 * (args.minutes or 0), signal.raise_signal, [signal.SIGINT])
    try:
        if args.minutes and FIRST:
            timer.start()
        training.train(model, pairs, config, held_out, state_file, on_bar, log)
    except KeyboardInterrupt as stop:
        go_on = f"go on with\n  {_command_to_resume(args.command_line)}"
        if not isinstance(stop, Interrupted) or not args.minutes or timer.is_alive():
            kept = f"{state_file} keeps the run" if state_file.exists() else "nothing is kept yet"
            _say(f"\n{stop or 'stopped'}; {kept}; {go_on}")
            return 130
        about["stopped"] = str(stop)
        _say(f"{stop}, after {args.minutes:g} minutes; {go_on}")
    finally:
        timer.cancel()
        if dist.is_initialized():
            dist.destroy_process_group()
    if not FIRST:
        return 0

    Translator(model, *data.vocabularies, about).save(model_file)
    translator = _load(model_file)  # the scores are those of the file
    evaluations = data.evaluate(translator)
    _print_scores(evaluations)
    if not args.pairs:
        card = evaluation.card(translator, evaluations, corpus.load("coreference"), _command_of(args, recipe))
        checkpoint.write_atomically(folder / "README.md", card.encode())
    if "stopped" not in about:
        state_file.unlink(missing_ok=True)
    print(f"\nThe model is in {model_file}. To try it:")
    print(f'  python -m tfmlib translate --model {shlex.quote(str(model_file))} "a sentence"')
    return 0


def _check_what_to_learn(args: argparse.Namespace, recipe: dict) -> None:
    if args.pairs and (args.source or args.target):
        raise ValueError("--source and --target choose from the built-in corpus; in --pairs FILE the columns are so.")
    if not args.pairs and (args.held_out or "vocabulary_size" in recipe):
        raise ValueError("--held-out and --vocabulary-size go with --pairs FILE; the built-in corpus has its own.")
    args.source, args.target = args.source or "en", args.target or "fr"
    if args.source == args.target:
        raise ValueError(f"--source and --target are both {args.source}; give two of {', '.join(corpus.LANGUAGES)}.")


def _device(name: str | None) -> torch.device:
    device = torch.device(name) if name else training.default_device()
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device {name}: this PyTorch sees no GPU; leave the option out, or give cpu.")
    return device


def _new_model(recipe: dict, data: _Data) -> Transformer:
    source, target = data.vocabularies
    # One vocabulary for both languages gets one table (paper, section 3.4).
    changes = {"share_embeddings": source is target, "dropout": recipe["dropout"]}
    config = TransformerConfig.preset(recipe["preset"], len(source), len(target), **changes)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # normal numbers in float32 differ from one kind of CPU to the next
    torch.manual_seed(recipe["seed"])
    model = Transformer(config)
    torch.set_default_dtype(before)
    return model


def _refuse_to_overwrite(args: argparse.Namespace, model_file: Path, state_file: Path) -> None:
    folder = model_file.parent
    if state_file.exists():
        if not args.resume:
            raise ValueError(
                f"{folder} holds an unfinished run; go on with it by --resume, give another --output, "
                f"or delete {state_file}."
            )
    elif model_file.exists() and (
        args.pairs or model_file.resolve() not in {path.resolve() for path in checkpoint.SHIPPED.values()}
    ):
        # The shipped models alone are replaced: the same command makes them again, and git has them.
        raise ValueError(f"{folder} holds a finished model; give another --output, or delete {model_file}.")


def _command_of(args: argparse.Namespace, recipe: dict) -> str:
    """The whole recipe as one command, so that other defaults in a later version do not change what it means."""
    words = {"learning_rate": "paper", "clip": "none"}
    options = {"source": args.source, "target": args.target, **recipe}
    given = {name: words.get(name) if value is None else value for name, value in options.items()}
    return "python -m tfmlib train " + " ".join(
        f"--{name.replace('_', '-')} {value}" for name, value in given.items() if value is not None
    )


def _command_to_resume(arguments: list[str]) -> str:
    n = os.environ.get("WORLD_SIZE", "1")
    start = "python -m tfmlib" if n == "1" else f"torchrun --nproc-per-node {n} -m tfmlib"
    return f"{start} {shlex.join([a for a in arguments if a != '--resume'] + ['--resume'])}"


def _logger(log_file: Path, config: TrainingConfig, show: bool) -> Callable[[dict], None]:
    """Write each entry of the log into a table, and, where there is no progress bar, on a line."""
    last = {"words": None, "time": time.monotonic()}

    def log(entry: dict) -> None:
        rows = list(csv.DictReader(log_file.read_text().splitlines())) if log_file.exists() else []
        rows = [row for row in rows if int(row["step"]) < entry["step"]]  # a resumed run comes by some steps again
        # Six digits: the next ones are not the same on every machine.
        rows.append({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in entry.items()})
        text = io.StringIO()
        table = csv.DictWriter(text, list(entry), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        checkpoint.write_atomically(log_file, text.getvalue().encode())
        now = time.monotonic()
        if show:
            held_out = f", held out {entry['held_out']:.4f}" if "held_out" in entry else ""
            speed = (
                ""
                if last["words"] is None
                else f", {(entry['words'] - last['words']) / (now - last['time']):,.0f} words/s"
            )
            _say(f"step {entry['step']:,} of {config.steps:,}: loss {entry['loss']:.4f}{held_out}{speed}")
        last.update(words=entry["words"], time=now)

    return log


# --------------------------------------------------------------------------------------------------- the parser


def _number_or(word: str) -> Callable[[str], float | None]:
    def number(text: str) -> float | None:
        return None if text == word else float(text)

    number.__name__ = f"number or {word!r}"  # argparse says it when the text is neither
    return number


def _count(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return int(text)


def _minutes(text: str) -> float:
    if not float(text) > 0:
        raise argparse.ArgumentTypeError(f"{text} minutes; it must be above 0")
    return float(text)


def _device_name(text: str) -> str:
    try:
        torch.device(text)
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"{text!r} is no device; for example cpu, cuda, cuda:1") from None
    return text


# Each with its type, what stands for its value, and its help; the defaults are those of COURSE and TEXT.
RECIPE_OPTIONS = {
    "preset": (str, list(PRESETS), "sizes of the model"),
    "steps": (_count, "N", "updates of the weights"),
    "batch_tokens": (_count, "N", "tokens a batch, of both sides, padding included"),
    "learning_rate": (_number_or("paper"), "RATE", "the highest; 'paper': (d_model * warmup)^-0.5"),
    "warmup": (_count, "N", "steps in which the learning rate rises"),
    "schedule": (str, ["inverse_sqrt", "linear"], "how it falls then; 'linear' to nearly 0 at the last step"),
    "dropout": (float, "SHARE", "share of the numbers set to 0 in training"),
    "label_smoothing": (float, "SHARE", "share of the label that is spread over all tokens"),
    "clip": (_number_or("none"), "NORM", "largest norm of the gradient; 'none': any"),
    "precision": (str, list(PRECISIONS), "numbers to compute with"),
    "seed": (int, "N", "of the first weights, the order of the pairs, and dropout"),
    "log_every": (_count, "N", "steps between two entries of the log"),
    "save_every": (_count, "N", "steps between two checkpoints"),
    "threads": (_count, "N", "threads on the CPU; a resumed run needs as many as before"),
    "device": (_device_name, "NAME", "cpu, cuda, ..."),
    "vocabulary_size": (_count, "N", "byte pairs to learn, one table for both languages; with --pairs only"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tfmlib",
        description="Translate with a Transformer, train one, or measure one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="translate | train | evaluate")

    def command(name: str, run: Callable, text: str, examples: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name,
            help=text.split(".")[0],
            description=text,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "translate",
        _translate,
        "Translate sentences. Without one, each line of standard input.",
        '  python -m tfmlib translate --model zh-en --beam 4 "那只猫总是在花园里睡觉"\n'
        "  python -m tfmlib translate --model runs/my-medium/model.safetensors < sentences.txt",
    )
    sub.add_argument("sentences", nargs="*", metavar="SENTENCE")
    _add_model(sub)
    sub.add_argument("--beam", type=_count, metavar="N", help="keep the N best beginnings (default: 1, greedy)")
    drawing = sub.add_argument_group("to draw a translation, not take the best")
    drawing.add_argument("--temperature", type=float, metavar="T", help="below 1 likely words gain (default: 1)")
    drawing.add_argument("--top-k", type=_count, metavar="K", help="from the K likeliest words (default: all)")
    drawing.add_argument(
        "--top-p", type=float, metavar="P", help="from the fewest with probability P (default: 1; try 0.9)"
    )
    drawing.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default: 0)")

    sub = command(
        "train",
        _train,
        "Train a model on the built-in corpus, or on pairs of sentences of your own.\n"
        "Ctrl-C keeps the run; under torchrun the processes share each batch.",
        "  python -m tfmlib train --source en --target zh\n"
        "  python -m tfmlib train --pairs my.tsv --held-out other.tsv --minutes 20",
    )
    sub.add_argument("--output", type=Path, metavar="DIR", help="for the model (default: runs/, and the run's name)")
    sub.add_argument("--resume", action="store_true", help="go on with the unfinished run in that folder")
    sub.add_argument("--minutes", type=_minutes, metavar="M", help="stop then, with the model as it is (default: no)")
    data = sub.add_argument_group("what to learn")
    data.add_argument("--source", choices=corpus.LANGUAGES, help="of the built-in corpus (default: en)")
    data.add_argument("--target", choices=corpus.LANGUAGES, help="of the built-in corpus (default: fr)")
    data.add_argument("--pairs", type=Path, metavar="FILE", help="source, tab, target on each line, UTF-8, may be .gz")
    data.add_argument("--held-out", type=Path, metavar="FILE", help="the same (default: 2%% of --pairs, at most 1,000)")
    recipe = sub.add_argument_group("how; defaults: on the built-in corpus | with --pairs")
    for name, (kind, value, text) in RECIPE_OPTIONS.items():
        defaults = " | ".join(
            str(table.get(name, "-")).replace("None", "none" if name == "clip" else "automatic")
            for table in (COURSE, TEXT)
        )
        recipe.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            default=argparse.SUPPRESS,
            **({"choices": value} if isinstance(value, list) else {"metavar": value}),
            help=f"{text} ({defaults})",
        )

    sub = command(
        "evaluate",
        _evaluate,
        "Measure a model: exact match, BLEU, chrF, and on the built-in corpus coreference and alignment.",
        "  python -m tfmlib evaluate\n"
        "  python -m tfmlib evaluate --model runs/my-medium/model.safetensors --pairs test.tsv --beam 4",
    )
    _add_model(sub)
    sub.add_argument("--pairs", type=Path, metavar="FILE", help="pairs to measure with (default: the built-in splits)")
    sub.add_argument(
        "--beam", type=_count, default=1, metavar="N", help="keep the N best beginnings (default: 1, greedy)"
    )
    sub.add_argument("--limit", type=_count, metavar="N", help="sentences of each split (default: all)")
    return parser


def _add_model(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--model",
        default="en-fr",
        metavar="MODEL",
        help=f"a file, or one of those shipped: {', '.join(checkpoint.SHIPPED)} (default: en-fr)",
    )


if __name__ == "__main__":
    sys.exit(main())
