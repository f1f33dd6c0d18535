#!/usr/bin/env python3
"""Times the steps of a tail in PyTorch, written as users of transformers do, for `npm run bench -- steps`.

GPT2Model's own blocks, batches of texts of similar length padded to the longest, the state before the first trained
block computed beforehand as far as it is frozen, fused AdamW. Weights are random: the work is the same.
Prints {"step_ms": {"median": MS}}. Needs torch and transformers.
"""

import argparse
import json
import random
import statistics
import time

import torch
from torch import nn
from transformers import GPT2Config, GPT2Model

FIRST_TRAINED = {"all": 0, "lora": 0, "last-two-blocks": 10, "last-block": 11, "head": 12}


class Lora(nn.Module):
    """A frozen linear layer with one low-rank pair per part (query, key and value are three parts)."""

    def __init__(self, base, parts, rank):
        super().__init__()
        self.base = base
        inner, outer = base.weight.shape
        self.a = nn.ParameterList([nn.Parameter(torch.randn(inner, rank) * 0.02) for _ in range(parts)])
        self.b = nn.ParameterList([nn.Parameter(torch.zeros(rank, outer // parts)) for _ in range(parts)])

    def forward(self, x):
        return self.base(x) + torch.cat([x @ a @ b for a, b in zip(self.a, self.b)], -1)


def tuned(trainable, rank):
    """The model, its head, and the trained parameters."""
    config = GPT2Config(resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)
    model, head = GPT2Model(config).eval(), nn.Linear(config.n_embd, 2)
    model.requires_grad_(trainable == "all")
    if trainable == "lora":
        for block in model.h:
            block.attn.c_attn = Lora(block.attn.c_attn, 3, rank)
            block.attn.c_proj = Lora(block.attn.c_proj, 1, rank)
            block.mlp.c_fc = Lora(block.mlp.c_fc, 1, rank)
            block.mlp.c_proj = Lora(block.mlp.c_proj, 1, rank)
    elif trainable.startswith("last-"):
        model.h[FIRST_TRAINED[trainable] :].requires_grad_(True)
        model.ln_f.requires_grad_(True)
    return model, head, [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]


def padded(texts):
    """Token ids [texts, longest], the last position of each text, and the labels."""
    longest = max(len(text["ids"]) for text in texts)
    ids = [text["ids"] + [50256] * (longest - len(text["ids"])) for text in texts]
    ends = torch.tensor([len(text["ids"]) - 1 for text in texts])
    return torch.tensor(ids), ends, torch.tensor([text["label"] for text in texts])


def embedded(model, ids):
    return model.wte(ids) + model.wpe(torch.arange(ids.shape[1]))


def through(blocks, x):
    for block in blocks:
        x = block(x)
        x = x[0] if isinstance(x, tuple) else x
    return x


def read(x, ends):
    return x[torch.arange(len(ends)), ends]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", required=True, help="JSON lines of {label, ids}, label 0 or 1")
    p.add_argument("--trainable", choices=FIRST_TRAINED, required=True)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--rank", type=int, default=8)
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    with open(args.data, encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines][: args.steps * args.batch]
    texts.sort(key=lambda text: len(text["ids"]))
    batches = [padded(texts[i : i + args.batch]) for i in range(0, len(texts), args.batch)]
    random.Random(1).shuffle(batches)

    model, head, parameters = tuned(args.trainable, args.rank)
    cut = FIRST_TRAINED[args.trainable]
    trained = model.h[cut:]
    with torch.no_grad():
        frozen = [through(model.h[:cut], embedded(model, ids)) for ids, _, _ in batches] if cut else []
        if args.trainable == "head":
            frozen = [read(x, ends) for x, (_, ends, _) in zip(frozen, batches)]
    optimizer = torch.optim.AdamW(parameters, lr=5e-5, weight_decay=0.1, fused=True)
    times = []
    for i, (ids, ends, labels) in enumerate(batches):
        start = time.perf_counter()
        x = through(trained, frozen[i] if cut else embedded(model, ids))
        states = model.ln_f(x if args.trainable == "head" else read(x, ends))
        loss = nn.functional.cross_entropy(head(states), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"step_ms": {"median": statistics.median(times)}}))


if __name__ == "__main__":
    main()
