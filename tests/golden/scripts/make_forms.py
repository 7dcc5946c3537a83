"""Writes small encoder references in forms that the shared set lacks: masks with gaps, no pooler, prefixed names, half precision, shards, a hand-saved
state dict with the library's recent names, another pooler, more than two image types, images of another size for CLIP.
Random weights; CPU, float32 arithmetic, eval, eager attention.

python tests/golden/scripts/make_forms.py   (torch 2.13.0, transformers 5.17.0, safetensors 0.8.0)
"""
import json
from pathlib import Path
from unittest import mock

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, CLIPConfig, CLIPModel, ViltConfig, ViltModel, ViTConfig, ViTModel

from make_encoders import ROOT, SIZES, fill

OWN = dict(attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **SIZES)


def mask_with_gaps(lengths, width):
    mask = torch.zeros(len(lengths), width, dtype=torch.int64)
    for row, length in enumerate(lengths):
        mask[row, :length] = 1
        mask[row, 2:min(4, length - 1)] = 0
    return mask


def write(name, model, inputs, outputs, form, prefix="", dtype=torch.float32):
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    if form == "state dict":
        model.config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    elif form == "shards":
        model.save_pretrained(folder, max_shard_size="40KB")
    else:
        model.save_pretrained(folder)
        tensors = load_file(folder / "model.safetensors")
        save_file({prefix + key: value.to(dtype) for key, value in tensors.items()}, folder / "model.safetensors")
    contiguous = lambda tensors: {key: tensor.detach().clone().contiguous() for key, tensor in tensors.items()}
    save_file(contiguous(inputs), folder / "inputs.safetensors")
    save_file(contiguous(outputs), folder / "outputs.safetensors")
    (folder / "info.json").write_text(json.dumps({"script": "tests/golden/scripts/make_forms.py"}) + "\n")


def states(result, prefix=""):
    return {f"{prefix}hidden_states.{i}": state for i, state in enumerate(result.hidden_states)} | {f"{prefix}last_hidden_state": result.last_hidden_state}


@torch.no_grad()
def bert_case():
    model = fill(BertModel(BertConfig(vocab_size=90, max_position_embeddings=14, type_vocab_size=3, hidden_act="silu", **OWN), add_pooling_layer=False), 41)
    model = model.half().float()
    generator = torch.Generator().manual_seed(42)
    draw = lambda high: torch.randint(0, high, (3, 12), generator=generator)
    inputs = {"input_ids": draw(90), "attention_mask": mask_with_gaps([12, 7, 2], 12), "token_type_ids": draw(3)}
    write("bert/case_gaps", model, inputs, states(model(**inputs, output_hidden_states=True)), "file", "bert.", torch.float16)


@torch.no_grad()
def vit_case():
    model = fill(ViTModel(ViTConfig(image_size=32, patch_size=8, pooler_output_size=10, pooler_act="relu", **OWN)), 51)
    generator = torch.Generator().manual_seed(52)
    inputs = {"pixel_values": torch.randn(2, 3, 32, 32, generator=generator), "small.pixel_values": torch.randn(2, 3, 8, 20, generator=generator)}
    result, small = model(inputs["pixel_values"], output_hidden_states=True), model(inputs["small.pixel_values"], interpolate_pos_encoding=True, output_hidden_states=True)
    outputs = states(result) | {"pooler_output": result.pooler_output} | states(small, "small.") | {"small.pooler_output": small.pooler_output}
    write("vit/case_state_dict", model, inputs, outputs, "state dict")


@torch.no_grad()
def vilt_case():
    config = ViltConfig(vocab_size=90, max_position_embeddings=12, image_size=24, patch_size=8, modality_type_vocab_size=4, layer_norm_eps=1e-6, **OWN)
    model = fill(ViltModel(config), 61)
    generator = torch.Generator().manual_seed(62)
    # Sizes that are no multiple of the patch, on a canvas that is none either.
    sizes, height, width = [(27, 30), (16, 24), (8, 9)], 27, 30
    pixels, pixel_mask = torch.zeros(3, 3, height, width), torch.zeros(3, height, width, dtype=torch.int64)
    for row, (h, w) in enumerate(sizes):
        pixels[row, :, :h, :w] = torch.randn(3, h, w, generator=generator)
        pixel_mask[row, :h, :w] = 1
    inputs = {"input_ids": torch.randint(0, 90, (3, 10), generator=generator), "attention_mask": mask_with_gaps([10, 6, 2], 10), "pixel_values": pixels, "pixel_mask": pixel_mask}
    outputs = {}
    in_order = lambda weights, count, replacement=False: torch.arange(int(count)) % len(weights)
    with mock.patch.object(torch, "multinomial", in_order), mock.patch.object(torch.Tensor, "multinomial", in_order):
        for index, prefix in ((1, ""), (3, "idx3.")):
            result = model(**inputs, image_token_type_idx=index, output_hidden_states=True)
            outputs |= states(result, prefix) | {f"{prefix}pooler_output": result.pooler_output}
        _, mask, (patches, _) = model.embeddings.visual_embed(pixels, pixel_mask, max_image_length=-1)
    outputs |= {"joint_mask": torch.cat([inputs["attention_mask"], mask.long()], 1), "patch_index": patches.reshape(3, -1, 2).long()}
    write("vilt/case_types4", model, inputs, outputs, "shards")


@torch.no_grad()
def clip_case():
    text = dict(vocab_size=90, max_position_embeddings=12, eos_token_id=60, bos_token_id=61, pad_token_id=0, hidden_act="gelu_fast", **SIZES)
    model = fill(CLIPModel(CLIPConfig(text_config=text, vision_config=dict(image_size=32, patch_size=8, **SIZES), projection_dim=9, attn_implementation="eager")), 71)
    generator = torch.Generator().manual_seed(72)
    ids = torch.randint(1, 60, (2, 12), generator=generator)
    ids[0, 11] = ids[1, 5] = 60
    ids[1, 6:] = 0
    inputs = {"input_ids": ids, "attention_mask": (ids != 0).long(), "pixel_values": torch.randn(2, 3, 32, 32, generator=generator), "interp.pixel_values": torch.randn(1, 3, 48, 20, generator=generator)}
    result = model(**{key: inputs[key] for key in ("input_ids", "attention_mask", "pixel_values")})
    large = model.vision_model(inputs["interp.pixel_values"], interpolate_pos_encoding=True, output_hidden_states=True)
    outputs = {"text_embeds": result.text_embeds, "image_embeds": result.image_embeds, "logits_per_text": result.logits_per_text}
    write("clip/case_other_size", model, inputs, outputs | states(large, "interp.") | {"interp.pooler_output": large.pooler_output}, "file", "clip.")


bert_case()
vit_case()
vilt_case()
clip_case()
