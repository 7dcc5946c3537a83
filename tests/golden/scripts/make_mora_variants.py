"""Makes tests/golden/mora_variants: MoRA's options in PyTorch on the tiny ViLT, a few steps each.

Usage: make_mora_variants.py GOLDEN_FOLDER OUTPUT_FOLDER. Inputs, head and optimiser as training_common/README.md says; every sample is computed
alone, without padding. `beside` block: y = Block(x) + sum over present m of (x A) B_m; attention: the same sum of attention's input, added to
its output. `missing` dummy: the blank inputs of training_common; left-out: the tokens of a missing modality are not in the sequence, and the
first token is the image's class token where text is missing.
"""
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import ViltConfig, ViltModel

STEPS, RATE, WARM_UP, DECAY, SEED, CLASSES = 6, 1e-3, 2, 0.02, 2025, 8
CASES = {
    "two_blocks_rank_3": dict(rank=3, blocks=[0, 2], beside="block", missing="dummy"),
    "attention": dict(rank=4, blocks=[0, 1], beside="attention", missing="dummy"),
    "left_out": dict(rank=4, blocks=[0], beside="block", missing="left-out"),
    "attention_left_out": dict(rank=2, blocks=[1], beside="attention", missing="left-out"),
}
golden, out = Path(sys.argv[1]), Path(sys.argv[2])
folder = golden / "vilt" / "case_types2"
config = ViltConfig(**json.loads((folder / "config.json").read_text()))
batches = load_file(golden / "training_common" / "batches.safetensors")
D, heads, side = config.hidden_size, config.num_attention_heads, config.image_size


def make(name, rank, blocks, beside, missing):
    torch.manual_seed(SEED)
    model = ViltModel(config)
    model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    model.eval().requires_grad_(False)
    model.pooler.requires_grad_(True)
    head = torch.nn.Sequential(torch.nn.Linear(D, 2 * D), torch.nn.LayerNorm(2 * D, eps=1e-5), torch.nn.GELU(), torch.nn.Linear(2 * D, CLASSES))
    for layer in (head[0], head[3]):
        torch.nn.init.normal_(layer.weight, std=0.02)
        torch.nn.init.zeros_(layer.bias)
    mora = {}
    for block in blocks:
        mora[f"mora.{block}.down.weight"] = torch.nn.Parameter(torch.randn(rank, D) / rank)
        for modality in ("text", "image"):
            mora[f"mora.{block}.up.{modality}.weight"] = torch.nn.Parameter(torch.zeros(D, rank))

    def delta(block, x, present):
        z = x @ mora[f"mora.{block}.down.weight"].T
        return sum(z @ mora[f"mora.{block}.up.{m}.weight"].T for m in present)

    def attend(layer, a):
        split = lambda module: module(a).view(-1, heads, D // heads).transpose(0, 1)
        own = layer.attention.attention
        q, k, v = split(own.query), split(own.key), split(own.value)
        p = torch.softmax(q @ k.transpose(1, 2) / (D // heads) ** 0.5, -1)
        return layer.attention.output.dense((p @ v).transpose(0, 1).reshape(-1, D))

    def logits_of(index, row, kind):
        get = lambda key: batches[f"batch{index}.{key}"][row]
        present = {0: ("text", "image"), 1: ("image",), 2: ("text",)}[kind]
        tokens = []
        if "text" in present or missing == "dummy":
            ids = get("input_ids")[get("attention_mask") == 1] if "text" in present else torch.tensor([101, 102])
            text = model.embeddings.text_embeddings(input_ids=ids[None], token_type_ids=torch.zeros_like(ids)[None])[0]
            tokens.append(text + model.embeddings.token_type_embeddings.weight[0])
        if "image" in present or missing == "dummy":
            mask = get("pixel_mask")
            height, width = int(mask[:, 0].sum()), int(mask[0].sum())
            pixels = get("pixel_values_x127").float()[:, :height, :width] / 127 if "image" in present else torch.ones(3, side, side)
            ones = torch.ones(1, *pixels.shape[1:], dtype=torch.long)
            image = model.embeddings.visual_embed(pixels[None], ones, max_image_length=-1)[0][0]
            tokens.append(image + model.embeddings.token_type_embeddings.weight[1])
        x = torch.cat(tokens)
        for number, layer in enumerate(model.encoder.layer):
            a = layer.layernorm_before(x)
            attention = attend(layer, a)
            if beside == "attention" and number in blocks:
                attention = attention + delta(number, a, present)
            u = x + attention
            y = u + layer.output.dense(layer.intermediate(layer.layernorm_after(u)))
            x = y + delta(number, x, present) if beside == "block" and number in blocks else y
        return head(torch.tanh(model.pooler.dense(model.layernorm(x[:1]))))[0]

    def named():
        yield from mora.items()
        yield from ((f"pooler.{key}", value) for key, value in model.pooler.named_parameters())
        yield from ((f"classifier.{key}", value) for key, value in head.named_parameters())

    target = out / name
    target.mkdir(parents=True, exist_ok=True)
    snapshot = lambda: {key: value.detach().clone().contiguous() for key, value in named()}
    save_file(snapshot(), target / "initial.safetensors")
    optimizer = torch.optim.AdamW([value for _, value in named()], lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
    log, early = [], {}
    for step in range(STEPS):
        index = step % 5
        rate = RATE * step / WARM_UP if step < WARM_UP else RATE * (STEPS - step) / (STEPS - WARM_UP)
        for group in optimizer.param_groups:
            group["lr"] = rate
        types = batches[f"batch{index}.missing_type"].tolist()
        logits = torch.stack([logits_of(index, row, kind) for row, kind in enumerate(types)])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, batches[f"batch{index}.labels"])
        optimizer.zero_grad()
        loss.backward()
        entry = {"step": step, "batch": index, "lr": rate, "loss": loss.item()}
        if step < 3:
            entry["grad_norms"] = {key: value.grad.norm().item() for key, value in named()}
            early[f"step{step}.logits"] = logits.detach().clone()
        log.append(entry)
        optimizer.step()
    save_file(snapshot(), target / "final.safetensors")
    save_file(early, target / "early_steps.safetensors")
    with torch.no_grad():
        save_file({f"final_logits.type{kind}": torch.stack([logits_of(i, row, kind) for i in range(5) for row in range(8)]) for kind in range(3)}, target / "final_logits.safetensors")
    (target / "training.json").write_text(json.dumps({
        "kind": "mora", "rank": rank, "blocks": blocks, "beside": beside, "missing": missing, "seed": SEED, "steps": STEPS, "lr": RATE, "betas": [0.9, 0.999], "eps": 1e-8,
        "weight_decay": DECAY, "warmup_steps": WARM_UP, "groups": "single group: weight decay on every trainable tensor",
        "n_trainable": sum(value.numel() for _, value in named()), "libraries": f"torch {torch.__version__}, transformers {transformers.__version__}", "log": log,
    }, indent=1) + "\n")
    print(name, [round(entry["loss"], 6) for entry in log])


for name, case in CASES.items():
    make(name, **case)
