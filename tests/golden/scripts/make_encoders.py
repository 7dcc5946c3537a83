"""Writes small encoder references that the shared set lacks: a DeiT, a ViT without query/key/value biases, one of
rectangles in rectangular patches with an activation of its own, a CLIP with plain GELU and the
historic end-of-text id. Random weights; CPU, float32, eval, eager attention.

python tests/golden/scripts/make_encoders.py   (torch 2.13.0, transformers 5.17.0, safetensors 0.8.0)
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, DeiTConfig, DeiTModel, ViTConfig, ViTModel

ROOT = Path(__file__).resolve().parent.parent
SIZES = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40)


def fill(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.2
            parameter.copy_(1 + noise if "norm" in name.lower() and name.endswith("weight") else noise)
    return model.eval()


def write(folder, model, inputs, outputs):
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    contiguous = lambda tensors: {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    save_file(contiguous(inputs), folder / "inputs.safetensors")
    save_file(contiguous(outputs), folder / "outputs.safetensors")
    (folder / "info.json").write_text(json.dumps({"script": "tests/golden/scripts/make_encoders.py"}) + "\n")


def image_case(name, kind, config_kind, seed, image_size=32, patch_size=8, **extra):
    config = config_kind(image_size=image_size, patch_size=patch_size, attn_implementation="eager", hidden_dropout_prob=0.0, layer_norm_eps=1e-6, **SIZES, **extra)
    model = fill(kind(config), seed)
    generator = torch.Generator().manual_seed(seed + 1)
    if image_size == 32:
        inputs = {"pixel_values": torch.randn(2, 3, 32, 32, generator=generator), "interp.pixel_values": torch.randn(1, 3, 24, 52, generator=generator)}
    else:  # The library interpolates square grids only.
        inputs = {"pixel_values": torch.randn(2, 3, *image_size, generator=generator)}
    outputs = {}
    with torch.no_grad():
        for key, pixels in inputs.items():
            prefix = key[: -len("pixel_values")]
            result = model(pixels, output_hidden_states=True, interpolate_pos_encoding=prefix != "")
            outputs |= {f"{prefix}hidden_states.{i}": state for i, state in enumerate(result.hidden_states)}
            outputs |= {f"{prefix}last_hidden_state": result.last_hidden_state, f"{prefix}pooler_output": result.pooler_output}
    # The library's last recorded state of these models is the one before the final norm, as hidden_states[-1].
    write(ROOT / "vit" / name, model, inputs, outputs)


def clip_case(name, seed):
    text = dict(SIZES, vocab_size=99, max_position_embeddings=12, hidden_act="gelu", eos_token_id=2, bos_token_id=97, pad_token_id=1)
    vision = dict(SIZES, hidden_size=18, image_size=32, patch_size=8, hidden_act="gelu")
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=10, attn_implementation="eager")
    model = fill(CLIPModel(config), seed)
    with torch.no_grad():
        model.logit_scale.fill_(1.5)
    generator = torch.Generator().manual_seed(seed + 1)
    lengths = [12, 3, 7]
    ids = torch.full((3, 12), 1)
    mask = torch.zeros(3, 12, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(3, 97, (length,), generator=generator)
        ids[row, 0], ids[row, length - 1] = 97, 98
        mask[row, :length] = 1
    inputs = {"input_ids": ids, "attention_mask": mask, "pixel_values": torch.randn(3, 3, 32, 32, generator=generator)}
    with torch.no_grad():
        result = model(**inputs)
        texts = model.text_model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        images = model.vision_model(pixel_values=inputs["pixel_values"], output_hidden_states=True)
    outputs = {"text_embeds": result.text_embeds, "image_embeds": result.image_embeds, "logits_per_image": result.logits_per_image,
               "text.last_hidden_state": texts.last_hidden_state, "text.pooler_output": texts.pooler_output,
               "vision.last_hidden_state": images.last_hidden_state, "vision.pooler_output": images.pooler_output}
    outputs |= {f"text.hidden_states.{i}": state for i, state in enumerate(texts.hidden_states)}
    outputs |= {f"vision.hidden_states.{i}": state for i, state in enumerate(images.hidden_states)}
    write(ROOT / "clip" / name, model, inputs, outputs)


if __name__ == "__main__":
    image_case("case_deit", DeiTModel, DeiTConfig, 11)
    image_case("case_no_bias", ViTModel, ViTConfig, 21, qkv_bias=False, hidden_act="gelu_new")
    image_case("case_not_square", ViTModel, ViTConfig, 41, image_size=[24, 40], patch_size=[8, 4], hidden_act="mish")
    clip_case("case_gelu_legacy", 31)
