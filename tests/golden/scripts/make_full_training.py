"""Makes tests/golden/full_training: five steps of full fine-tuning of the tiny ViLT in PyTorch, embeddings included.

Usage: make_full_training.py GOLDEN_FOLDER OUTPUT_FOLDER. GOLDEN_FOLDER holds vilt/case_types2 and training_common, whose README gives the
inputs of each missing type, the head and the optimiser; one group, one learning rate, AdamW with weight decay on every tensor.
Big tensors are kept by their leading rows: `leading_rows.NAME` in final.safetensors.
"""
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import ViltConfig, ViltModel

STEPS, RATE, WARM_UP, DECAY, SEED, CLASSES = 5, 1e-3, 1, 0.02, 2024, 8
LEADING_ROWS = {"embeddings.text_embeddings.word_embeddings.weight": 256, "embeddings.patch_embeddings.projection.weight": 8}

golden, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
folder = golden / "vilt" / "case_types2"
config = ViltConfig(**json.loads((folder / "config.json").read_text()))
torch.manual_seed(SEED)
model = ViltModel(config)
missing, unexpected = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
assert not unexpected and not [name for name in missing if "position_ids" not in name], (missing, unexpected)
model.eval()
D = config.hidden_size
head = torch.nn.Sequential(torch.nn.Linear(D, 2 * D), torch.nn.LayerNorm(2 * D, eps=1e-5), torch.nn.GELU(), torch.nn.Linear(2 * D, CLASSES))
for layer in (head[0], head[3]):
    torch.nn.init.normal_(layer.weight, std=0.02)
    torch.nn.init.zeros_(layer.bias)
batches = load_file(golden / "training_common" / "batches.safetensors")
side = config.image_size


def inputs(index, types):
    get = lambda name: batches[f"batch{index}.{name}"]
    ids, mask = get("input_ids").clone(), get("attention_mask").clone()
    pixels, pixel_mask = get("pixel_values_x127").float() / 127, get("pixel_mask").long().clone()
    for row, kind in enumerate(types):
        if kind == 1:
            ids[row] = 0
            ids[row, 0], ids[row, 1] = 101, 102
            mask[row] = 0
            mask[row, :2] = 1
        if kind == 2:
            pixels[row] = 1.0
            pixel_mask[row] = 0
            pixel_mask[row, :side, :side] = 1
    return dict(input_ids=ids, attention_mask=mask, token_type_ids=torch.zeros_like(ids), pixel_values=pixels, pixel_mask=pixel_mask)


def logits_of(index, types):
    return head(model(**inputs(index, types)).pooler_output)


def named():
    yield from model.named_parameters()
    for name, parameter in head.named_parameters():
        yield f"classifier.{name}", parameter


own_head = lambda: {name: parameter.detach().clone().contiguous() for name, parameter in named() if name.startswith(("pooler.", "classifier."))}
save_file(own_head(), out / "initial.safetensors")
optimizer = torch.optim.AdamW([parameter for _, parameter in named()], lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
loss_of = torch.nn.BCEWithLogitsLoss()
log, early = [], {}
for step in range(STEPS):
    index = step % 5
    rate = RATE * step / WARM_UP if step < WARM_UP else RATE * (STEPS - step) / (STEPS - WARM_UP)
    for group in optimizer.param_groups:
        group["lr"] = rate
    logits = logits_of(index, batches[f"batch{index}.missing_type"].tolist())
    loss = loss_of(logits, batches[f"batch{index}.labels"])
    optimizer.zero_grad()
    loss.backward()
    entry = {"step": step, "batch": index, "lr": rate, "loss": loss.item()}
    if step < 3:
        entry["grad_norms"] = {name: parameter.grad.norm().item() for name, parameter in named()}
        early[f"step{step}.logits"] = logits.detach().clone()
    log.append(entry)
    optimizer.step()
final = {}
for name, parameter in named():
    rows = LEADING_ROWS.get(name)
    final[name if rows is None else f"leading_rows.{name}"] = (parameter if rows is None else parameter[:rows]).detach().clone().contiguous()
save_file(final, out / "final.safetensors")
save_file(early, out / "early_steps.safetensors")
with torch.no_grad():
    save_file({f"final_logits.type{kind}": torch.cat([logits_of(i, [kind] * 8) for i in range(5)]).contiguous() for kind in range(3)}, out / "final_logits.safetensors")
count = sum(parameter.numel() for _, parameter in named())
(out / "training.json").write_text(json.dumps({
    "kind": "full", "seed": SEED, "steps": STEPS, "lr": RATE, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": DECAY, "warmup_steps": WARM_UP,
    "groups": "single group: weight decay on every trainable tensor", "n_trainable": count,
    "libraries": f"torch {torch.__version__}, transformers {transformers.__version__}", "log": log,
}, indent=1) + "\n")
print(count, [entry["loss"] for entry in log])
