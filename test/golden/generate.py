#!/usr/bin/env python3
"""Golden vectors for fine-tuning GPT-2 as a text classifier.

Writes a tiny random GPT-2 (HF file layout), classification heads, LoRA
factors and, per case, the logits, loss, accuracy, gradients and the
parameters after a few AdamW steps.  Oracle: Hugging Face's GPT2Model (eager
attention, float32, CPU), torch autograd, torch.optim.AdamW.  Every case is
also run in float64, and in float32 with the last bit of every weight shaken
and the rows in another order; the differences go to cases.json and README.md.

    python test/golden/generate.py                     # the set in this folder
    python test/golden/generate.py --seed 5 --out DIR --shape n_embd=64,n_layer=2

Needs torch, transformers, safetensors, numpy.  Nothing is downloaded.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import GPT2Model

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

SHAPE = dict(
    n_vocab=257, n_ctx=48, n_embd=48, n_head=4, n_layer=3,
    batch=6, min_len=3, max_len=20, pad_to=32,
    classes=2, more_classes=4, lora_rank=4, lora_alpha=8,
)
STEPS = 3
SHAKES = 6  # shaken float32 runs per case
ADAMW = dict(lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)


# --------------------------------------------------------------- inputs


def hf_config(s):
    end = s["n_vocab"] - 1
    return dict(
        architectures=["GPT2Model"], model_type="gpt2",
        activation_function="gelu_new", layer_norm_epsilon=1e-5,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, summary_first_dropout=0.0,
        bos_token_id=end, eos_token_id=end, initializer_range=0.02,
        n_ctx=s["n_ctx"], n_positions=s["n_ctx"], n_embd=s["n_embd"],
        n_head=s["n_head"], n_layer=s["n_layer"], vocab_size=s["n_vocab"],
        torch_dtype="float32",
    )


def draw(rng, shape, std=0.2, mean=0.0):
    return torch.from_numpy((mean + std * rng.standard_normal(shape)).astype(np.float32))


def body_weights(rng, s):
    """Every tensor is random, biases and LayerNorm gains included, so that a
    swapped, transposed or forgotten one changes the numbers."""
    d = s["n_embd"]
    w = {"wte.weight": draw(rng, (s["n_vocab"], d)), "wpe.weight": draw(rng, (s["n_ctx"], d))}
    for i in range(s["n_layer"]):
        p = f"h.{i}."
        for ln in ("ln_1", "ln_2"):
            w[p + ln + ".weight"] = draw(rng, (d,), mean=1.0)
            w[p + ln + ".bias"] = draw(rng, (d,))
        for name, n_in, n_out in linears(s):
            w[p + name + ".weight"] = draw(rng, (n_in, n_out))
            w[p + name + ".bias"] = draw(rng, (n_out,))
    w["ln_f.weight"] = draw(rng, (d,), mean=1.0)
    w["ln_f.bias"] = draw(rng, (d,))
    return w


def linears(s):
    d = s["n_embd"]
    return [("attn.c_attn", d, 3 * d), ("attn.c_proj", d, d), ("mlp.c_fc", d, 4 * d), ("mlp.c_proj", 4 * d, d)]


def lora_sites(s, classes):
    """(name, in, out) of every Linear of the reference: its query, key and
    value are three Linears, where HF has one fused c_attn."""
    d = s["n_embd"]
    for i in range(s["n_layer"]):
        for name, n_in, n_out in linears(s):
            if name == "attn.c_attn":
                for part in "qkv":
                    yield f"h.{i}.{name}.{part}", d, d
            else:
                yield f"h.{i}.{name}", n_in, n_out
    yield "score", d, classes


def lora_weights(rng, s, classes):
    """A uniform in +-1/sqrt(rank): what kaiming_uniform_(a=sqrt(5)) gives on an
    [in, rank] tensor.  B would start at zero; here it does not, so that A has
    a gradient."""
    r, w = s["lora_rank"], {}
    for name, n_in, n_out in lora_sites(s, classes):
        w[name + ".lora_A"] = torch.from_numpy(rng.uniform(-1, 1, (n_in, r)).astype(np.float32) / math.sqrt(r))
        w[name + ".lora_B"] = draw(rng, (r, n_out), std=0.02)
    return w


def batch_of(rng, s):
    lengths = [s["min_len"], s["max_len"]]
    middle = rng.permutation(np.arange(s["min_len"] + 1, s["max_len"]))[: s["batch"] - 2]
    lengths = rng.permutation(lengths + middle.tolist())
    seqs = [rng.integers(0, s["n_vocab"] - 1, n).tolist() for n in lengths]
    labels = {}
    for c in (s["classes"], s["more_classes"]):
        y = np.arange(s["batch"]) % c
        labels[str(c)] = rng.permutation(y).tolist()
    return seqs, labels


def label_sets_of(rng, s):
    """Sets of labels per text, one of them empty and one full."""
    c = s["more_classes"]
    sets = [sorted(rng.permutation(c)[: i % (c + 1)].tolist()) for i in range(s["batch"])]
    return [sets[i] for i in rng.permutation(s["batch"])]


def padded(seqs, pad, to):
    return torch.tensor([q + [pad] * (to - len(q)) for q in seqs], dtype=torch.long)


# ---------------------------------------------------------------- model


class Classifier:
    """GPT2Model, a linear head, optional LoRA; `params` by HF name."""

    def __init__(self, folder, head, dtype, lora=None, scale=None):
        self.body = GPT2Model.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
        self.body.to(dtype).eval()
        n_out, n_in = head["score.weight"].shape
        self.score = torch.nn.Linear(n_in, n_out, dtype=dtype)
        with torch.no_grad():
            self.score.weight.copy_(head["score.weight"])
            self.score.bias.copy_(head["score.bias"])
        self.params = dict(self.body.named_parameters())
        self.params |= {"score." + k: v for k, v in self.score.named_parameters()}
        self.cut = None  # what enters the last block
        self.body.h[-1].register_forward_pre_hook(lambda m, args: setattr(self, "cut", args[0].detach()))
        if lora is not None:
            self.add_lora({k: torch.nn.Parameter(v.to(dtype)) for k, v in lora.items()}, scale)

    def add_lora(self, factors, scale):
        self.params |= factors

        def delta(site, x):
            return scale * (x @ factors[site + ".lora_A"] @ factors[site + ".lora_B"])

        def hook_for(site):
            if site.endswith("c_attn"):
                return lambda m, args, y: y + torch.cat([delta(f"{site}.{p}", args[0]) for p in "qkv"], dim=-1)
            return lambda m, args, y: y + delta(site, args[0])

        for i, block in enumerate(self.body.h):
            for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"):
                block.get_submodule(name).register_forward_hook(hook_for(f"h.{i}.{name}"))
        self.score.register_forward_hook(hook_for("score"))

    def logits(self, ids, pad, position, causal):
        # A ready-made 4-D mask is taken as it is: zeros = everything sees
        # everything, pads included.  None = HF builds the causal mask.
        n = ids.shape[1]
        mask = None if causal else torch.zeros(1, 1, n, n, dtype=self.score.weight.dtype)
        h = self.body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
        z = self.score(h)  # as the reference does: the head at every position, then a choice
        real = ids != pad
        if position == "first":
            return z[:, 0]
        if position == "last":
            return z[:, -1]
        if position == "last-real":
            return z[torch.arange(len(ids)), real.sum(1) - 1]
        if position == "mean":
            return z.mean(1)
        if position == "mean-real":
            m = real[..., None].to(z.dtype)
            return (z * m).sum(1) / m.sum(1)
        raise ValueError(position)


def trainable_names(kind, names, n_layer):
    """`kind` as in the reference's --trainable_layers (its last_layer is head)."""
    if kind == "all":
        return list(names)
    if kind == "lora":  # the reference's new head is left trainable, and gets LoRA too
        return [n for n in names if ".lora_" in n or n.startswith("score.")]
    if kind == "lora-only":  # appendix E: everything frozen, then LoRA put in
        return [n for n in names if ".lora_" in n]
    blocks = {"head": 0, "last_block": 1, "last_two_blocks": 2}[kind]
    prefixes = ["score."] + ["ln_f."] * (blocks > 0) + [f"h.{n_layer - 1 - b}." for b in range(blocks)]
    return [n for n in names if n.startswith(tuple(prefixes))]


# ---------------------------------------------------------------- cases


def cases_of(s, labels):
    base = dict(position="last-real", causal=True, trainable="last_block", pad_to=s["max_len"], classes=s["classes"])

    def case(name, **change):
        return dict(name=name, **{**base, **change})

    r, a = s["lora_rank"], s["lora_alpha"]
    yield case("main")
    yield case("last", position="last")
    yield case("first", position="first")
    yield case("mean", position="mean")
    yield case("mean-real", position="mean-real")
    yield case("full-attention-last-real", causal=False)
    yield case("full-attention-last", causal=False, position="last")
    yield case("padded-last-real", pad_to=s["pad_to"])
    yield case("padded-last", pad_to=s["pad_to"], position="last")
    yield case("head", trainable="head")
    yield case("last-two-blocks", trainable="last_two_blocks")
    yield case("all", trainable="all")
    yield case("all-last", trainable="all", position="last")
    yield case("lora", trainable="lora", lora=dict(rank=r, alpha=a, scale=a))
    yield case("lora-scaled", trainable="lora-only", lora=dict(rank=r, alpha=a, scale=a / r))
    yield case("more-classes", classes=s["more_classes"])
    plain = dict(multi_label=False, label_smoothing=0.0, class_weights=[])
    weights = balanced_weights(labels[str(s["more_classes"])], s["more_classes"])
    yield case("label-smoothing", classes=s["more_classes"], criterion=dict(plain, label_smoothing=0.1))
    yield case("class-weights", classes=s["more_classes"], criterion=dict(plain, class_weights=weights))
    yield case("smoothed-weights", classes=s["more_classes"], criterion=dict(plain, label_smoothing=0.1, class_weights=weights))
    yield case("multi-label", classes=s["more_classes"], criterion=dict(plain, multi_label=True))
    yield case("linear-clip", optimizer=dict(schedule="linear", warmup=1, clip=4.0, decay="matrices"))
    yield case("cosine-clip", trainable="all", optimizer=dict(schedule="cosine", warmup=0, clip=4.0, decay="matrices"))
    yield case("multi-label-weights", classes=s["more_classes"], criterion=dict(plain, multi_label=True, class_weights=[3.0, 1.0, 0.5, 1.5]))


def balanced_weights(y, classes):
    """texts / (classes * texts of the class)"""
    return [len(y) / (classes * n) for n in np.bincount(y, minlength=classes).tolist()]


def criterion_of(case, dtype):
    """The loss of a case: torch's, by its settings."""
    given = case.get("criterion")
    if given is None:
        return torch.nn.CrossEntropyLoss()
    weight = torch.tensor(given["class_weights"], dtype=dtype) if given["class_weights"] else None
    if given["multi_label"]:
        return torch.nn.BCEWithLogitsLoss(pos_weight=weight)
    return torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=given["label_smoothing"])


def is_multi_label(case):
    return case.get("criterion", {}).get("multi_label", False)


def targets_of(case, labels, label_sets):
    """Indices of the labels; rows of zeros and ones if a text has several."""
    if not is_multi_label(case):
        return torch.tensor(labels[str(case["classes"])])
    y = torch.zeros(len(label_sets), case["classes"])
    for row, own in zip(y, label_sets):
        row[own] = 1
    return y


def right(z, y):
    return (((z > 0) == (y > 0)).all(-1) if y.dim() == 2 else z.argmax(-1) == y).double().mean().item()


def noise_columns(case, names, s):
    """Columns (last dimension) of trainable tensors whose gradient is zero in
    exact arithmetic.  Rounding makes it +-1e-9 or so, and Adam divides that by
    itself, so the value after the steps is arbitrary within steps*lr."""
    d, out = s["n_embd"], {}
    alone = case["position"] == "first" and case["causal"]
    for n in names:
        if alone and "c_attn." in n:
            out[n] = [0, 2 * d]  # position 0 sees itself only: query and key are idle
        elif n.endswith("c_attn.bias"):
            out[n] = [d, 2 * d]  # softmax ignores a shift common to all keys
    return out


def parameter_groups(net, names, decay):
    """With decay="matrices" biases and norms do not decay."""
    flat = [net.params[n] for n in names if net.params[n].dim() < 2 and decay == "matrices"]
    rest = [net.params[n] for n in names if not any(net.params[n] is p for p in flat)]
    return [dict(params=rest), dict(params=flat, weight_decay=0.0)]


def scheduler_of(opt, schedule, warmup, steps):
    name = "constant_with_warmup" if schedule == "constant" else schedule
    return transformers.get_scheduler(name, opt, num_warmup_steps=warmup, num_training_steps=steps)


def schedules():
    """Factors of the learning rate, one for each step of a run."""
    for schedule in ("constant", "linear", "cosine"):
        for warmup in (0, 1, 4):
            opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            rates, scheduler = [], scheduler_of(opt, schedule, warmup, 11)
            for _ in range(11):
                rates.append(scheduler.get_last_lr()[0])
                opt.step()
                scheduler.step()
            yield dict(schedule=schedule, warmup=warmup, steps=11, factors=rates)


def run(net, case, names, ids, labels, pad, steps=STEPS):
    for n, p in net.params.items():
        p.requires_grad_(n in names)
    options = {**dict(schedule="constant", warmup=0, clip=math.inf, decay="all"), **case.get("optimizer", {})}
    opt = torch.optim.AdamW(parameter_groups(net, names, options["decay"]), foreach=False, **ADAMW)
    scheduler = scheduler_of(opt, options["schedule"], options["warmup"], STEPS)
    out = dict(losses=[], accuracies=[], grads=[], norms=[])
    for step in range(steps + 1):
        opt.zero_grad()
        z = net.logits(ids, pad, case["position"], case["causal"])
        y = labels.to(z.dtype) if labels.dim() == 2 else labels
        loss = criterion_of(case, z.dtype)(z, y)
        out["losses"].append(loss.item())
        out["accuracies"].append(right(z, labels))
        if step == 0:
            out["logits"], out["cut"] = z.detach().clone(), net.cut.clone()
        if step < steps:
            loss.backward()
            out["grads"].append({n: net.params[n].grad.detach().clone() for n in names})
            norm = torch.nn.utils.clip_grad_norm_([net.params[n] for n in names], options["clip"], foreach=False)
            out["norms"].append(norm.item())
            opt.step()
            scheduler.step()
    out["grad"] = out["grads"][0] if steps else {}
    out["after"] = {n: net.params[n].detach().clone() for n in names}
    return out


# -------------------------------------------------- comparing and storing


def keep(t, columns):
    """Mask of the entries that can be compared."""
    m = torch.ones_like(t, dtype=torch.bool)
    if columns:
        m[..., columns[0] : columns[1]] = False
    return m


def compare(a, b, noise):
    """Run a against run b: the largest differences."""
    def gap(x, y):
        return (x.double() - y.double()).abs()

    grad_abs = grad_rel = after = loose = 0.0
    entries = 0
    for n in b["grad"]:
        m = keep(b["grad"][n], noise.get(n))
        if not m.any():
            continue
        g = gap(a["grad"][n], b["grad"][n])[m].max().item()
        top = b["grad"][n][m].abs().max().item()
        grad_abs, grad_rel = max(grad_abs, g), max(grad_rel, g / top if top else 0.0)
        e = gap(a["after"][n], b["after"][n])[m]
        after = max(after, e.max().item())
        loose += (e > 1e-5).sum().item()
        entries += e.numel()
    z = gap(a["logits"], b["logits"]).max().item()
    return dict(
        logits_abs=z, logits_rel=z / b["logits"].abs().max().item(),
        loss_abs=max(abs(x - y) for x, y in zip(a["losses"], b["losses"])),
        grad_abs=grad_abs, grad_rel=grad_rel,
        after_abs=after, after_over_1e5=f"{int(loose)}/{entries}",
    )


def check_noise(out64, noise, case):
    """The declared columns, and only they, have a vanishing gradient that is
    not exactly zero for a reason the float32 run shares."""
    for n in out64["grad"]:
        top = torch.stack([g[n].abs() for g in out64["grads"]]).amax(0)
        tiny = (top < 1e-14) & ~torch.stack([g[n] == 0 for g in out64["grads"]]).all(0)
        m = keep(top, noise.get(n))
        assert not (tiny & m).any(), (case["name"], n, "undeclared vanishing gradient")
        assert (~m).sum() == 0 or top[~m].max() < 1e-14, (case["name"], n, "declared gradient does not vanish")


def shaken(net, case, names, ids, y, pad, noise, a, rng):
    """Worst of a few float32 runs that differ from run `a` by rounding only."""
    start = {n: p.detach().clone() for n, p in net.params.items()}
    worst = {}
    for _ in range(SHAKES):
        with torch.no_grad():
            for n, p in net.params.items():
                p.copy_(start[n] * (1 + 2.0**-23 * torch.from_numpy(rng.standard_normal(p.shape)).double()))
        rows = torch.from_numpy(rng.permutation(len(ids)))
        b = run(net, case, names, ids[rows], y[rows], pad)
        b["logits"] = b["logits"][rows.argsort()]
        for k, v in compare(b, a, noise).items():
            worst[k] = max(worst.get(k, v), v, key=lambda x: int(x.split("/")[0]) if isinstance(x, str) else x)
    return worst


def thin(t, stride, thin_from):
    if t.numel() < thin_from or stride == 1:
        return t.contiguous()
    assert math.gcd(stride, t.shape[-1]) == 1
    return t.flatten()[::stride].contiguous()


def stats(t, columns):
    v = t.double()[keep(t, columns)]
    return torch.stack([v.sum(), v.abs().sum(), v.square().sum().sqrt()]).float()


def pack(part, tensors, noise, stride, thin_from):
    out = {f"{part}/{n}": thin(t, stride, thin_from) for n, t in tensors.items()}
    out[f"{part}_stats"] = torch.stack([stats(t, noise.get(n)) for n, t in tensors.items()])
    return out


def rounded(x, digits=3):
    return {k: (float(f"{v:.{digits}g}") if isinstance(v, float) else v) for k, v in x.items()}


# ------------------------------------------------------------------ main


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--shape", default="", help="changes to the default shape, as key=value,key=value; keys: " + ", ".join(SHAPE))
    ap.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    ap.add_argument("--stride", type=int, default=13, help="keep every n-th entry of a large tensor")
    ap.add_argument("--main-stride", type=int, default=1, help="the same, for the case main")
    ap.add_argument("--thin-from", type=int, default=1024, help="entries from which a tensor counts as large")
    args = ap.parse_args()

    s = dict(SHAPE)
    for item in filter(None, args.shape.split(",")):
        key, value = item.split("=")
        assert key in s, key
        s[key] = int(value)
    assert s["max_len"] < s["pad_to"] <= s["n_ctx"] and s["n_embd"] % s["n_head"] == 0
    pad, out = s["n_vocab"] - 1, args.out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)

    # model, heads, LoRA factors, batch
    (out / "config.json").write_text(json.dumps(hf_config(s), indent=2) + "\n")
    save_file(body_weights(rng, s), out / "model.safetensors", {"format": "pt"})
    for c in (s["classes"], s["more_classes"]):
        save_file({"score.weight": draw(rng, (c, s["n_embd"])), "score.bias": draw(rng, (c,))},
                  out / f"head-{c}.safetensors", {"format": "pt"})
    save_file(lora_weights(rng, s, s["classes"]), out / "lora.safetensors", {"format": "pt"})
    seqs, labels = batch_of(rng, s)
    label_sets = label_sets_of(np.random.default_rng([args.seed, 1]), s)

    def net_for(case, dtype):
        head = load_file(out / f"head-{case['classes']}.safetensors")
        lora = load_file(out / "lora.safetensors") if "lora" in case else None
        return Classifier(out, head, dtype, lora, case.get("lora", {}).get("scale"))

    index, kept = [], {}
    for case in cases_of(s, labels):
        ids, y = padded(seqs, pad, case["pad_to"]), targets_of(case, labels, label_sets)
        net = net_for(case, torch.float32)
        names = trainable_names(case["trainable"], net.params, s["n_layer"])
        noise = noise_columns(case, names, s)
        a = run(net, case, names, ids, y, pad)
        b = run(net_for(case, torch.float64), case, names, ids, y, pad)
        check_noise(b, noise, case)
        shake = shaken(net_for(case, torch.float32), case, names, ids, y, pad, noise, a, np.random.default_rng([args.seed, len(index)]))
        stride = args.main_stride if case["name"] == "main" else args.stride
        tensors = {"logits": a["logits"]}
        tensors |= pack("grad", a["grad"], noise, stride, args.thin_from)
        tensors |= pack("after", a["after"], noise, stride, args.thin_from)
        file = f"case-{case['name']}.safetensors"
        save_file(tensors, out / file)
        if case["name"] == "main":
            save_file({"features": a["cut"]}, out / "features.safetensors")
        kept[case["name"]] = dict(case=case, a=a, names=names, ids=ids, y=y, noise=noise)
        index.append({
            **case, "file": file, "head": f"head-{case['classes']}.safetensors",
            "stride": stride, "loss": a["losses"][0], "losses": a["losses"],
            "accuracy": a["accuracies"][0], "accuracies": a["accuracies"],
            **({"norms": a["norms"]} if "optimizer" in case else {}),
            "trainable_parameters": names, "noise_columns": noise,
            "float64": rounded(compare(a, b, noise)), "shaken": rounded(shake),
        })
        print(f"{case['name']:26s} loss {a['losses'][0]:.4f} -> {a['losses'][-1]:.4f}")
        print("   float64", index[-1]["float64"], "\n   shaken ", index[-1]["shaken"])

    checks(kept)

    # Data parallel: the whole batch is padded first, then split by rows.
    n, half, third = s["batch"], s["batch"] - s["batch"] // 3, (s["batch"] + 1) // 2
    splits = [[half, n - half], [third, n - third - 1, 1]]
    parallel, tensors = [], {}
    for name in ("main", "last"):
        k = kept[name]
        for split in splits:
            bounds = np.cumsum([0] + split)
            rows = [list(range(lo, hi)) for lo, hi in zip(bounds, bounds[1:])]
            losses, grads = [], []
            for r in rows:
                o = run(net_for(k["case"], torch.float32), k["case"], k["names"], k["ids"][r], k["y"][r], pad, steps=1)
                losses.append(o["losses"][0])
                grads.append(o["grad"])
            total = {m: sum(len(r) / n * g[m] for r, g in zip(rows, grads)) for m in k["names"]}
            worst = max((total[m] - k["a"]["grad"][m]).abs().max().item() for m in k["names"])
            rel = max(((total[m] - k["a"]["grad"][m]).abs().max() / k["a"]["grad"][m].abs().max()).item() for m in k["names"])
            assert rel < 1e-5, rel
            prefix = f"{name}/{len(split)}"
            if name == "main":
                for i, g in enumerate(grads):
                    tensors |= pack(f"{prefix}/{i}/grad", g, k["noise"], args.stride, args.thin_from)
            parallel.append(dict(
                case=name, prefix=prefix if name == "main" else None, rows=rows, weights=[len(r) / n for r in rows],
                losses=losses, weighted_loss=sum(len(r) / n * x for r, x in zip(rows, losses)),
                whole_loss=k["a"]["losses"][0], grad_abs=float(f"{worst:.3g}"), grad_rel=float(f"{rel:.3g}"),
            ))
    save_file(tensors, out / "data-parallel.safetensors")

    doc = dict(
        seed=args.seed, shape=s, pad_id=pad, thin_from=args.thin_from,
        versions=dict(torch=torch.__version__, transformers=transformers.__version__, numpy=np.__version__),
        adamw={**ADAMW, "steps": STEPS}, schedules=list(schedules()), semantics=SEMANTICS,
        inputs=dict(sequences=seqs, labels=labels, label_sets=label_sets),
        features=dict(file="features.safetensors", tensor="features", case="main", enters_block=s["n_layer"] - 1),
        cases=index,
        data_parallel=dict(file="data-parallel.safetensors", stride=args.stride, splits=parallel),
    )
    (out / "cases.json").write_text(compact(doc) + "\n")
    (out / "README.md").write_text(readme(doc, args))
    for f in out.glob("*.safetensors"):
        f.chmod(0o644)
    print(f"{sum(f.stat().st_size for f in out.iterdir() if f.suffix in ('.json', '.safetensors')):,} bytes")


def checks(kept):
    """Relations between cases that must hold whatever the numbers are."""
    z = {n: k["a"]["logits"] for n, k in kept.items()}
    close = lambda p, q: torch.allclose(z[p], z[q], rtol=0, atol=1e-5)
    assert close("main", "padded-last-real"), "under the causal mask pads after the text do not reach it"
    assert not close("last", "padded-last"), "the last pad position depends on the padding"
    assert not close("main", "full-attention-last-real") and not close("last", "full-attention-last")
    assert not close("mean", "mean-real") and not close("lora", "lora-scaled") and not close("lora", "main")
    for n in ("head", "last-two-blocks", "all"):
        assert close("main", n)
    for n, k in kept.items():
        assert n.startswith(("lora", "linear")) or k["a"]["losses"][-1] < k["a"]["losses"][0], (n, "the steps do not lower the loss")


SEMANTICS = {
    "reference": "rasbt/LLMs-from-scratch at 28c65cd: ch06/02_bonus_additional-experiments (additional_experiments.py, previous_chapters.py), appendix-E",
    "padding": "right, with pad_id; pads are ordinary tokens: they are embedded and attended to, no attention mask is ever built from them",
    "last": "logits at index pad_to-1, a pad for all but the longest text",
    "last-real": "reference 'flexible': index (number of ids != pad_id) - 1",
    "first": "index 0",
    "mean": "reference --average_embeddings: plain mean of the head's outputs over ALL pad_to positions, pads included (= head of the mean final-norm state)",
    "mean-real": "NOT in the reference: the mean over non-pad positions only",
    "causal=false": "reference --disable_causal_mask, in every block: each position sees all pad_to positions, pads included; 1/sqrt(head_dim) scaling as usual",
    "head": "reference last_layer: score only, ln_f frozen",
    "last_block": "last block + ln_f + score",
    "last_two_blocks": "last two blocks + ln_f + score",
    "all": "everything incl. wte and wpe; score is not tied to wte; rows without gradient still decay",
    "lora": "additional_experiments.py: y = Wx + b + alpha * (x A B), no division by rank, on every Linear incl. score; A, B, score.weight and score.bias trained",
    "lora-only": "appendix E: y = Wx + b + (alpha/rank) * (x A B), on every Linear incl. score; only A and B trained",
    "lora names": "query, key, value have their own pairs (three Linears in the reference): h.N.attn.c_attn.q.lora_A [in, rank], .lora_B [rank, out]; q, k, v are columns [0,d), [d,2d), [2d,3d) of c_attn",
    "loss": "cross entropy, mean over the batch; losses[i] is the loss after i steps, loss = losses[0]",
    "criterion": "settings of torch's CrossEntropyLoss(weight, label_smoothing); with multi_label BCEWithLogitsLoss(pos_weight: class_weights), labels from label_sets. Without it: plain cross entropy",
    "accuracy": "share of texts whose largest logit is the label's, with multi_label of texts with exactly their labels above 0; accuracies[i] is the one after i steps, accuracy = accuracies[0]",
    "weight decay": "p *= 1 - lr*weight_decay before the Adam update, on every trainable tensor: biases, LayerNorm and embeddings too",
    "optimizer": "schedule, warmup: get_linear_schedule_with_warmup and so on of transformers, num_training_steps is adamw.steps; clip: max_norm of torch.nn.utils.clip_grad_norm_, norms[i] is the norm that it returns in step i; decay=matrices: tensors of one dimension are in a parameter group without weight decay",
    "schedules": "factors[i] is the factor of the learning rate in step i",
    "noise_columns": "per tensor [from, to) of the last dimension: gradient zero in exact arithmetic; do not compare grad relatively or after at all there (left out of *_stats)",
    "data parallel": "rows of the batch padded to the whole batch's pad_to, not padded again per shard; sum of weights[i] * mean-loss gradient of shard i = gradient of the batch",
}


def compact(doc):
    """JSON with one line per innermost list or small object."""
    def dump(v, depth):
        flat = json.dumps(v)
        if len(flat) <= 150 or not isinstance(v, (dict, list)) or (isinstance(v, list) and not isinstance(v[0], (dict, list))):
            return flat
        tab = "  " * (depth + 1)
        if isinstance(v, dict):
            body = [f"{tab}{json.dumps(k)}: {dump(x, depth + 1)}" for k, x in v.items()]
        else:
            body = [tab + dump(x, depth + 1) for x in v]
        return "{["[isinstance(v, list)] + "\n" + ",\n".join(body) + "\n" + "  " * depth + "}]"[isinstance(v, list)]

    return dump(doc, 0)


def readme(doc, args):
    s = doc["shape"]
    flags = f" --seed {args.seed} --out DIR"
    if args.shape:
        flags += f" --shape {args.shape}"
    for name in ("stride", "main_stride", "thin_from"):
        flags += f" --{name.replace('_', '-')} {getattr(args, name)}"
    mark = lambda c: "".join(["" if c["pad_to"] == s["max_len"] else f", to {c['pad_to']}", "" if c["causal"] else ", full attention"])
    columns = ("logits_abs", "loss_abs", "grad_rel", "after_abs")
    both = lambda c, k: f"{c['float64'][k]:.0e} / {c['shaken'][k]:.0e}"
    count = lambda c: f"{c['float64']['after_over_1e5'].split('/')[0]} / {c['shaken']['after_over_1e5'].replace('/', ' of ')}"
    rows = "\n".join(
        f"| {c['name']} | {c['position']}{mark(c)} | {c['trainable']} | " + " | ".join(both(c, k) for k in columns) + f" | {count(c)} |"
        for c in doc["cases"])
    top = lambda k: max(max(c["float64"][k], c["shaken"][k]) for c in doc["cases"])
    dp = max(p["grad_rel"] for p in doc["data_parallel"]["splits"])
    return README.format(
        flags=flags, rows=rows, s=s, dp=f"{dp:.1e}", steps=STEPS, lr=ADAMW["lr"], thin=args.thin_from, pad=doc["pad_id"],
        torch=doc["versions"]["torch"], hf=doc["versions"]["transformers"],
        **{k: f"{top(k):.1e}" for k in ("logits_abs", "logits_rel", "loss_abs", "grad_abs", "grad_rel", "after_abs")}, shakes=SHAKES)


README = """\
# Golden vectors

A random GPT-2 ({s[n_layer]} layers, width {s[n_embd]}, {s[n_head]} heads, {s[n_vocab]} tokens, pad id {pad}), one batch of {s[batch]} texts, and the
expected results of fine-tuning it as a classifier.  `test/golden/generate.py` computed them with Hugging Face's GPT2Model
(eager attention, float32, CPU; transformers {hf}, torch {torch}), autograd and torch.optim.AdamW.  The generator also
writes this file; on the same versions and machine type it writes the same bytes again:

    python test/golden/generate.py{flags}

The seed was chosen from about two dozen, because with it few entries have a gradient close to zero (see Tolerance).

## Files

- `config.json`, `model.safetensors`: Hugging Face layout, names without the prefix `transformer.`; `*.weight` of
  c_attn, c_proj, c_fc is [in, out].
- `head-N.safetensors`: `score.weight` [N, n_embd], `score.bias` [N].
- `lora.safetensors`: `<linear>.lora_A` [in, rank], `<linear>.lora_B` [rank, out]; B is not zero here.
- `cases.json`: inputs, the meaning of each setting (`semantics`), one entry per case; `schedules`: learning rates.
- `case-NAME.safetensors`: `logits`, `grad/<parameter>` (first step), `after/<parameter>`
  (after {steps} AdamW steps on the same batch), `grad_stats` and `after_stats`.
- `features.safetensors`: hidden states entering the last block, case `main`, [batch, pad_to, n_embd].
- `data-parallel.safetensors`: `main/SHARDS/INDEX/grad/<parameter>` and `.../grad_stats`; losses and weights
  in `cases.json`.

To keep the set small, tensors with {thin} or more entries are thinned if the case's `stride` is not 1: they are stored
flat, and `stored[i] = full[i * stride]` (row-major, in the parameter's layout).  `*_stats` cover the whole tensor: row i is
[sum, sum of |x|, sqrt of sum of x^2] of `trainable_parameters[i]`, without its `noise_columns`.

## Tolerance

Largest differences, as `a / b`: a, float32 against the same run in float64; b, float32 against the worst of {shakes}
float32 runs in which every weight is changed by about one unit in the last place and the rows are in another order, as an
estimate for another correct float32 implementation.  Gradients: relative to the largest entry of the same tensor.
`noise_columns` are left out.  `> 1e-5`: number of parameter entries that differ by more than 1e-5 after {steps} steps.
All absolute and relative figures are in `cases.json`: `float64` and `shaken`.

| case | position | trainable | logits | losses | grad, relative | after | > 1e-5 |
|---|---|---|---|---|---|---|---|
{rows}

Largest: logits {logits_abs} ({logits_rel} relative), losses {loss_abs}, gradients {grad_abs} ({grad_rel} relative),
parameters after the steps {after_abs}; shards against the whole batch {dp} (gradients, relative).

- logits, losses[0] and gradients: ten times these values is a fair bound for another float32 implementation.
- after, and the losses of later steps: Adam divides a gradient by its own magnitude, so an entry with a gradient near the
  rounding error takes an arbitrary step, up to {lr}, and changes the others a little.  Require a small difference (1e-4)
  for all but 1 entry in 1000, and at most {steps} * {lr} * 2 for the rest.
- `noise_columns` (the key part of every trained c_attn.bias; query and key parts for position `first`): their gradient
  is zero in exact arithmetic, so they hold only rounding errors.  Expect |gradient| < 1e-6, ignore `after`.
"""


if __name__ == "__main__":
    main()
