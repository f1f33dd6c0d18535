#!/usr/bin/env python3
"""Golden vectors for the variants of GPT-2 that `config.json` can describe.

Computes hidden states, logits and gradients of small random models with
transformers' GPT2Model (eager attention) and torch's autograd, in float64;
`reorder_and_upcast_attn` in float32, the only type that it accepts.  All
variants have the same weights; those with `n_inner` use the first columns
and rows of the MLPs.  On the same versions it writes the same bytes again:

    python test/golden/variants/generate.py

With a folder, it writes models with the sizes of published ones instead, for
test/golden/variants/compare-families.ts:

    python test/golden/variants/generate.py DIR

Run `npm run fix` afterwards, which formats variants.json.
Needs torch, transformers, safetensors, numpy.  Nothing is downloaded.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2Model

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
OUT = Path(__file__).resolve().parent

WIDTH, LAYERS, CLASSES, RANK, SCALE, STRIDE = 16, 2, 3, 2, 0.5, 5
SHAPE = dict(n_layer=LAYERS, n_embd=WIDTH, n_head=2, n_positions=12, vocab_size=29)
TEXTS = [[3, 14, 15, 9, 26, 5, 3, 5, 8], [2, 7, 1], [16, 18, 0, 3, 28]]
LABELS = [0, 2, 1]
VARIANTS = {
    **{name: dict(activation_function=name) for name in ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast", "relu", "silu")},
    "narrow": dict(n_inner=24, activation_function="gelu"),
    "unscaled-inverse": dict(scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True),
    "reorder": dict(reorder_and_upcast_attn=True, scale_attn_by_inverse_layer_idx=True),
    "epsilon": dict(layer_norm_epsilon=0.1),
}

# Width, heads, inner width and settings of published models. Blocks, vocabulary
# and context are reduced: they only repeat the same computation.
REDUCED = dict(n_layer=2, n_positions=64, vocab_size=500)
FAMILIES = {
    "GPT-2 small, DistilGPT-2, DialoGPT small; German, Chinese and Portuguese GPT-2": dict(n_embd=768, n_head=12),
    "GPT-2 medium, DialoGPT medium": dict(n_embd=1024, n_head=16),
    "GPT-2 large, DialoGPT large": dict(n_embd=1280, n_head=20),
    "GPT-2 XL": dict(n_embd=1600, n_head=25),
    "Cerebras-GPT 111M": dict(n_embd=768, n_head=12, n_inner=3072, activation_function="gelu"),
    "Cerebras-GPT 256M": dict(n_embd=1088, n_head=17, n_inner=4352, activation_function="gelu"),
    "Cerebras-GPT 590M": dict(n_embd=1536, n_head=12, n_inner=6144, activation_function="gelu"),
    "BioMedLM": dict(n_embd=2560, n_head=20, scale_attn_by_inverse_layer_idx=True),
}


def draw(rng, shape, std=0.3, mean=0.0):
    return torch.from_numpy((mean + std * rng.standard_normal(shape)).astype(np.float32))


def weights(rng, shape=SHAPE, std=0.4):
    """In the order of Tailtune's parameter vector."""
    width = shape["n_embd"]
    inner = shape.get("n_inner", 4 * width)
    w = {"wte.weight": draw(rng, (shape["vocab_size"], width), 1.0), "wpe.weight": draw(rng, (shape["n_positions"], width))}
    for i in range(shape["n_layer"]):
        sizes = {"attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width), "mlp.c_fc": (width, inner), "mlp.c_proj": (inner, width)}
        for name in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
            size = sizes.get(name, (width,))
            w[f"h.{i}.{name}.weight"] = draw(rng, size, std if name in sizes else 0.4, 0.0 if name in sizes else 1.0)
            w[f"h.{i}.{name}.bias"] = draw(rng, size[-1:])
    w["ln_f.weight"], w["ln_f.bias"] = draw(rng, (width,), mean=1.0), draw(rng, (width,))
    w["score.weight"], w["score.bias"] = draw(rng, (CLASSES, width)), draw(rng, (CLASSES,))
    return w


def lora_sites():
    for i in range(LAYERS):
        for part in "qkv":
            yield f"h.{i}.attn.c_attn.{part}", WIDTH, WIDTH
        yield f"h.{i}.attn.c_proj", WIDTH, WIDTH
        yield f"h.{i}.mlp.c_fc", WIDTH, 4 * WIDTH
        yield f"h.{i}.mlp.c_proj", 4 * WIDTH, WIDTH
    yield "score", WIDTH, CLASSES


def lora_pairs(rng):
    return {f"{site}.lora_{m}": draw(rng, shape)
            for site, n_in, n_out in lora_sites()
            for m, shape in (("A", (n_in, RANK)), ("B", (RANK, n_out)))}


def narrowed(name, w, inner):
    """The part of a weight that a model with this inner width has."""
    if ".mlp.c_fc." in name and not name.endswith("lora_A"):
        return w[..., :inner]
    if ".mlp.c_proj." in name and name.endswith(("weight", "lora_A")):
        return w[:inner]
    return w


def compute(config, w, lora, dtype, stride=STRIDE):
    """Hidden states before the last block, logits, and gradients of the mean
    cross-entropy with respect to `w`, or to `lora` if it is given."""
    config = GPT2Config(**config, embd_pdrop=0, attn_pdrop=0, resid_pdrop=0)
    config._attn_implementation = "eager"
    model = GPT2Model(config).to(dtype).eval()
    inner = config.n_inner or 4 * config.n_embd
    cut = lambda tensors: {n: torch.nn.Parameter(narrowed(n, t, inner).to(dtype)) for n, t in tensors.items()}
    own, pairs = cut(w), cut(lora or {})
    states = []

    def delta(site, x):
        return SCALE * (x @ pairs[site + ".lora_A"] @ pairs[site + ".lora_B"]) if pairs else 0

    def hook(site):
        if site.endswith("c_attn"):
            return lambda m, args, y: y + torch.cat([delta(f"{site}.{p}", args[0]) for p in "qkv"], -1)
        return lambda m, args, y: y + delta(site, args[0])

    model.h[-1].register_forward_pre_hook(lambda m, args: states.append(args[0].detach()[0]))
    for i, block in enumerate(model.h if pairs else []):
        for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"):
            block.get_submodule(name).register_forward_hook(hook(f"h.{i}.{name}"))
    rows = []
    for text in TEXTS:
        body = {n: p for n, p in own.items() if not n.startswith("score.")}
        h = torch.func.functional_call(model, body, args=(), kwargs=dict(input_ids=torch.tensor([text]), use_cache=False))
        last = h.last_hidden_state[0, -1]
        rows.append(last @ own["score.weight"].T + own["score.bias"] + delta("score", last))
    logits = torch.stack(rows)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    wanted = pairs or own
    grads = torch.autograd.grad(loss, list(wanted.values()))
    flat = torch.cat([g.flatten() for g in grads])
    return dict(hidden=torch.cat(states), logits=logits, gradient=flat[::stride])


def families(out):
    for name, change in FAMILIES.items():
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        config = {**REDUCED, **change}
        w = weights(np.random.default_rng(7), config, 0.05)
        expected = compute(config, w, None, torch.float64, stride=1)
        save_file(w, folder / "model.safetensors", {"format": "pt"})
        save_file({n: t.detach().float() for n, t in expected.items()}, folder / "expected.safetensors")
        (folder / "config.json").write_text(json.dumps(dict(model_type="gpt2", **config)))
        print(name, flush=True)


def main():
    if len(sys.argv) > 1:
        return families(Path(sys.argv[1]))
    rng = np.random.default_rng(7)
    w, lora = weights(rng), lora_pairs(rng)
    body = {n: t for n, t in w.items() if not n.startswith("score.")}
    save_file({**w, **lora}, OUT / "weights.safetensors", {"format": "pt"})
    out, index = {}, []
    for name, change in VARIANTS.items():
        dtype = torch.float32 if "reorder_and_upcast_attn" in change else torch.float64
        plain, paired = compute({**SHAPE, **change}, w, None, dtype), compute({**SHAPE, **change}, w, lora, dtype)
        out |= {f"{name}/{k}": v for k, v in plain.items()}
        out |= {f"{name}/lora/{k}": v for k, v in paired.items() if k != "hidden"}
        index.append(dict(name=name, config=change))
    keep = {n: t.detach().float().contiguous() for n, t in out.items()}
    save_file(keep, OUT / "expected.safetensors")
    doc = dict(versions=dict(torch=torch.__version__, transformers=transformers.__version__), shape=SHAPE, classes=CLASSES,
               texts=TEXTS, labels=LABELS, lora=dict(rank=RANK, scale=SCALE), stride=STRIDE, variants=index)
    (OUT / "variants.json").write_text(json.dumps(doc, indent=1) + "\n")
    for name in ("weights.safetensors", "expected.safetensors"):
        (OUT / name).chmod(0o644)
    scales = {n: v.abs().max().item() for n, v in keep.items()}
    print({n: round(v, 3) for n, v in scales.items() if n.endswith(("logits", "gradient", "hidden"))})


if __name__ == "__main__":
    main()
