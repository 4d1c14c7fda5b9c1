"""How does it learn? The paper's optimizer and schedule, batches by length, and runs that resume (section 5)."""

import json
import math
import os
import random
import signal
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from tfmlib import checkpoint
from tfmlib.loss import cross_entropy, n_words, shift
from tfmlib.transformer import Transformer
from tfmlib.vocabulary import BOS, EOS, pad

Pair = tuple[Sequence[int], Sequence[int]]  # ids of the source and of the target, without <bos> and <eos>

PRECISIONS = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.float32}


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained; the defaults are the paper's where the paper has them.

    Args:
        steps: updates of the weights.
        batch_tokens: tokens a batch, source and target, padding included (25,000 of each side in the paper).
        learning_rate: the highest, reached after `warmup` steps; None is the paper's, (d_model · warmup)^-½.
        warmup: steps in which the learning rate rises (4,000 in the paper).
        schedule: after the warm-up, "inverse_sqrt" falls as the paper's, "linear" to nearly 0 at the last step.
        label_smoothing: ε of the loss.
        clip: largest norm of the gradient; None does not clip. The paper does not say that it clips.
        precision: "float64", "float32", or "bfloat16" (weights in float32, products in bfloat16).
        seed: of the order of the sentences and of dropout.
        log_every: steps between two entries of the log, and between two looks at the held-out pairs.
        save_every: steps between two checkpoints.
    """

    steps: int = 100_000
    batch_tokens: int = 4096
    learning_rate: float | None = None
    warmup: int = 4000
    schedule: str = "inverse_sqrt"
    label_smoothing: float = 0.1
    clip: float | None = None
    precision: str = "float32"
    seed: int = 0
    log_every: int = 100
    save_every: int = 200

    def __post_init__(self):
        for name in ("steps", "batch_tokens", "warmup", "log_every", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; it must be one of {', '.join(PRECISIONS)}.")
        if self.schedule not in ("inverse_sqrt", "linear"):
            raise ValueError(f"schedule is {self.schedule!r}; it must be 'inverse_sqrt' or 'linear'.")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing is {self.label_smoothing}; it must be at least 0 and below 1.")


def paper_learning_rate(step: int, d_model: int, warmup: int = 4000) -> float:
    """d_model^-½ · min(step^-½, step · warmup^-³ᐟ²), for step = 1, 2, …

    Paper, equation 3.
    """
    return d_model**-0.5 * min(step**-0.5, step * warmup**-1.5)


def learning_rate(step: int, config: TrainingConfig, d_model: int) -> float:
    """Give the learning rate of step 1, 2, …

    With nothing but defaults it is the paper's.
    """
    warmup, peak = config.warmup, config.learning_rate
    if peak is None:
        peak = (d_model * warmup) ** -0.5
    if config.schedule == "linear":
        left, in_all = config.steps - step + 1, config.steps - warmup + 1
        return peak * min(step / warmup, left / max(1, in_all))
    rate = paper_learning_rate(step, d_model, warmup)
    return peak * rate / paper_learning_rate(warmup, d_model, warmup)


def batches_by_length(
    pairs: Sequence[Pair],
    batch_tokens: int,
    rng: random.Random,
) -> list[list[int]]:
    """Cut the pairs into batches of like length, in random order.

    So little is padding. A batch holds as many pairs as fit into
    `batch_tokens`; padding, ``<bos>`` and ``<eos>`` count.
    Returns the pairs' indices, each once.

    Raises:
        ValueError: a pair is longer than a batch.
    """
    order = list(range(len(pairs)))
    rng.shuffle(order)
    # The sort is stable: pairs of equal lengths stay shuffled.
    order.sort(key=lambda i: (len(pairs[i][1]), len(pairs[i][0])))
    batches, batch, longest = [], [], (0, 0)
    for i in order:
        source, target = len(pairs[i][0]), len(pairs[i][1]) + 2
        if source + target > batch_tokens:
            raise ValueError(
                f"pair {i} has {source + target} tokens and a batch holds "
                f"{batch_tokens}; leave it out, or set batch_tokens."
            )
        larger = max(longest[0], source), max(longest[1], target)
        if sum(larger) * (len(batch) + 1) > batch_tokens:
            batches.append(batch)
            batch, larger = [], (source, target)
        batch.append(i)
        longest = larger
    batches.append(batch)
    rng.shuffle(batches)
    return batches


def collate(pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor]:
    """Make a batch: source ids (B, S), target ids ``<bos> … <eos>`` (B, T + 1), padded."""
    return pad([source for source, _ in pairs]), pad([[BOS, *target, EOS] for _, target in pairs])


def _stream(pairs: Sequence[Pair], config: TrainingConfig) -> Iterator[list[int]]:
    """Give batch after batch, epoch after epoch: all from the seed, so that a resumed run finds its place."""
    epoch = 0
    while True:
        yield from batches_by_length(pairs, config.batch_tokens, random.Random(f"{config.seed} {epoch}"))
        epoch += 1


@torch.inference_mode()
def mean_loss(model: Transformer, pairs: Sequence[Pair], batch_tokens: int = 4096) -> float:
    """Cross-entropy a word of the target, in nats, without smoothing and without dropout."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    total = words = 0.0
    for batch in batches_by_length(pairs, batch_tokens, random.Random(0)):
        source, target = (ids.to(device) for ids in collate([pairs[i] for i in batch]))
        inputs, labels = shift(target)
        total += cross_entropy(model(source, inputs), labels).item()
        words += n_words(labels).item()
    model.train(was_training)
    return total / words


@dataclass
class _Processes:
    """The processes of `torchrun`, or this one alone."""

    rank: int = int(os.environ.get("RANK", 0))
    count: int = int(os.environ.get("WORLD_SIZE", 1))
    local_rank: int = int(os.environ.get("LOCAL_RANK", 0))

    def start(self, device: torch.device) -> None:
        if self.count > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def sum(self, *values: float, device) -> list[float]:
        if self.count == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(total)
        return total.tolist()

    def gather(self, tensor: torch.Tensor, device) -> torch.Tensor:
        """Stack a tensor of each process: (count, …)."""
        if self.count == 1:
            return tensor[None]
        parts = [torch.empty_like(tensor, device=device) for _ in range(self.count)]
        dist.all_gather(parts, tensor.to(device))
        return torch.stack(parts).cpu()


@contextmanager
def _stop_asked() -> Iterator[Callable[[], bool]]:
    """Let the first ctrl-C (or SIGTERM) end the step in hand, not break it; the second one breaks."""
    asked = []

    def ask(number, frame):
        asked.append(number)
        signal.signal(number, previous[number])

    try:
        previous = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: nobody can press ctrl-C here
        previous = {}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Interrupted(KeyboardInterrupt):
    """The run was stopped; its checkpoint is written."""


def default_device() -> torch.device:
    """The GPU of this process if there is one, else the CPU."""
    return torch.device("cuda", _Processes().local_rank) if torch.cuda.is_available() else torch.device("cpu")


def train(
    model: Transformer,
    pairs: Sequence[Pair],
    config: TrainingConfig,
    held_out: Sequence[Pair] = (),
    state_file: Path | None = None,
    progress: bool = False,
    on_log: Callable[[dict], None] | None = None,
) -> list[dict]:
    """Train `model` in place on the device where it is.

    With `state_file`, go on from there if it exists. A run that was killed at
    any moment and is called again with the same arguments ends with the same
    weights, bit for bit, on the same machine. Under `torchrun` the processes
    share each batch (DistributedDataParallel).

    Args:
        held_out: pairs whose loss is measured for the log.
        state_file: where the checkpoint is kept, every `save_every` steps,
            and at ctrl-C.
        on_log: called with each entry of the log.

    Returns:
        The log, an entry every `log_every` steps: step, learning_rate, loss
        (nats a word, smoothed, mean since the last entry), words (of the
        targets, all so far), and held_out (nats a word, without smoothing).

    Raises:
        ValueError: no pairs, a pair that does not fit, or a state file of
            another run.
        Interrupted: ctrl-C; the state file holds all that was done.
    """
    if not len(pairs):
        raise ValueError("there are no pairs to train on.")
    device = next(model.parameters()).device
    processes = _Processes()
    processes.start(device)
    model.to(PRECISIONS[config.precision]).train()
    torch.manual_seed(config.seed + processes.rank)
    paper = {"lr": 0.0, "betas": (0.9, 0.98), "eps": 1e-9}
    optimizer = torch.optim.Adam(model.parameters(), **paper, fused=True)
    run = _Run(model, optimizer, pairs, config, processes, device, state_file)
    run.resume()
    whole = model if processes.count == 1 else DistributedDataParallel(model)
    autocast = nullcontext()
    if config.precision == "bfloat16":
        autocast = torch.autocast(device.type, torch.bfloat16)
    batches = islice(_stream(pairs, config), run.step, config.steps)
    progress_bar = tqdm(
        batches,
        initial=run.step,
        total=config.steps,
        unit="step",
        disable=not progress or processes.rank > 0,
    )
    with _stop_asked() as stop_asked, progress_bar as bar:
        for batch in bar:
            run.step += 1
            mine = batch[processes.rank :: processes.count]
            ids = collate([pairs[i] for i in mine or batch[:1]])
            source, target = (side.to(device) for side in ids)
            inputs, labels = shift(target)
            with autocast:
                logits = whole(source, inputs)
                loss = cross_entropy(logits, labels, config.label_smoothing)
            if not mine:  # fewer pairs than processes: it counts nothing
                loss = loss * 0.0
            words = n_words(labels).item() if mine else 0
            words, stops = processes.sum(words, stop_asked(), device=device)
            # DistributedDataParallel takes the mean over the processes.
            # Wanted is the mean over all words.
            (loss * (processes.count / words)).backward()
            if config.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            for group in optimizer.param_groups:
                d_model = model.config.d_model
                group["lr"] = learning_rate(run.step, config, d_model)
            optimizer.step()
            optimizer.zero_grad()
            run.loss += loss.detach()
            run.words_since += words
            last = run.step == config.steps
            if run.step % config.log_every == 0 or last:
                entry = run.add_entry(held_out)
                bar.set_postfix(loss=f"{entry['loss']:.3f}")
                if on_log is not None and processes.rank == 0:
                    on_log(entry)
            save = run.step % config.save_every == 0 or last or stops
            if state_file is not None and save:
                run.save()
            if stops and not last:
                done = f"step {run.step} of {config.steps}"
                raise Interrupted(f"stopped after {done}")
    model.eval()
    return run.log


class _Run:
    """What a run holds beside the model: all of it goes into the state file, and comes back."""

    def __init__(self, model, optimizer, pairs, config, processes, device, state_file):
        self.model, self.optimizer, self.config = model, optimizer, config
        self.processes, self.device, self.state_file = processes, device, state_file
        self.fingerprint = state_file and zlib.crc32(json.dumps(pairs).encode())  # asked of state files alone
        self.step = 0
        self.log: list[dict] = []
        self.words = self.words_since = 0.0
        self.loss = torch.zeros((), dtype=torch.float64, device=device)

    def add_entry(self, held_out) -> dict:
        (loss,) = self.processes.sum(self.loss.item(), device=self.device)
        self.words += self.words_since
        entry = {
            "step": self.step,
            "learning_rate": learning_rate(self.step, self.config, self.model.config.d_model),
            "loss": loss / self.words_since,
            "words": int(self.words),
        }
        if held_out:
            entry["held_out"] = mean_loss(self.model, held_out, self.config.batch_tokens)
        if not math.isfinite(entry["loss"]):
            raise ValueError(f"the loss is {entry['loss']} at step {self.step}; lower the learning rate, or clip.")
        self.log.append(entry)
        self.loss.zero_()
        self.words_since = 0.0
        return entry

    def _description(self) -> dict:
        return {
            "model": asdict(self.model.config),
            "training": asdict(self.config),
            "processes": self.processes.count,
            "pairs": self.fingerprint,
        }

    def save(self) -> None:
        random_state = self.processes.gather(torch.get_rng_state(), self.device)
        tensors = {"random_state": random_state}
        if self.device.type == "cuda":
            tensors["random_state_gpu"] = self.processes.gather(torch.cuda.get_rng_state(self.device), self.device)
        loss = self.processes.gather(self.loss, self.device)
        if self.processes.rank > 0:
            return
        tensors["loss"] = loss
        for name, p in self.model.named_parameters():
            tensors[f"model.{name}"] = p.detach()
            for part, value in self.optimizer.state[p].items():
                tensors[f"optimizer.{part}.{name}"] = value
        progress = {"step": self.step, "words": self.words, "words_since": self.words_since, "log": self.log}
        checkpoint.write(self.state_file, tensors, {**self._description(), "progress": progress})

    def resume(self) -> None:
        if self.state_file is None or not self.state_file.exists():
            return
        tensors, about = checkpoint.read(self.state_file)
        progress = about.pop("progress", None)
        wanted = json.loads(json.dumps(self._description()))
        if progress is None or about != wanted:
            differ = [
                f"{group}.{key}" if isinstance(values, dict) else group
                for group, values in wanted.items()
                for key in (values if isinstance(values, dict) else [None])
                if (about.get(group, {}).get(key) if key else about.get(group)) != (values[key] if key else values)
            ]
            raise ValueError(
                f"{self.state_file} is the state of another run: {', '.join(differ) or 'it is no training state'}. "
                "Give the same arguments, or another folder."
            )
        with torch.no_grad():
            for name, p in self.model.named_parameters():
                p.copy_(tensors[f"model.{name}"])
                self.optimizer.state[p] = {
                    part: tensors[f"optimizer.{part}.{name}"].to(self.device)
                    for part in ("step", "exp_avg", "exp_avg_sq")
                }
        torch.set_rng_state(tensors["random_state"][self.processes.rank])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random_state_gpu"][self.processes.rank], self.device)
        self.loss.copy_(tensors["loss"][self.processes.rank])
        for name, value in progress.items():
            setattr(self, name, value)
