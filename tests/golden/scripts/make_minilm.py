"""Makes tests/golden/minilm/sentences.json: sentence embeddings of all-MiniLM-L6-v2 from Python, for made-up sentences.

Usage: make_minilm.py WEIGHTS_FOLDER OUTPUT_JSON. The folder holds config.json, model.safetensors (fp16, Hugging Face names) and tokenizer.json.
Mean pooling over the attention mask and L2 normalisation, as the model card of sentence-transformers/all-MiniLM-L6-v2 does it.
"""
import hashlib
import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

SENTENCES = [
    "69 year old female",
    "right eye blurred for two weeks, left eye normal",
    "No acute cardiopulmonary abnormality. Heart size is within normal limits.",
    "",
    "Mild non-proliferative retinopathy; follow-up in 6 months (HbA1c 7.9 %).",
    "caf\u00e9 visit, T\u00fcbingen, na\u00efve observer",
    "drusen " * 60,
]

folder, output = Path(sys.argv[1]), Path(sys.argv[2])
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
tokenizer.backend_tokenizer.no_padding()
tokenizer.backend_tokenizer.no_truncation()
config = BertConfig(**json.loads((folder / "config.json").read_text()))
model = BertModel(config, add_pooling_layer=False).eval()
weights = folder / "model.safetensors"
state = {name.removeprefix("bert."): tensor.float() for name, tensor in load_file(weights).items()}
missing = model.load_state_dict(state, strict=False).missing_keys
assert not missing, missing

cases = []
with torch.no_grad():
    for sentence in SENTENCES:
        ids = tokenizer.backend_tokenizer.encode(sentence).ids
        hidden = model(torch.tensor([ids])).last_hidden_state[0]
        embedding = torch.nn.functional.normalize(hidden.mean(0), dim=0)
        cases.append({"sentence": sentence, "ids": ids, "embedding": [round(value, 8) for value in embedding.tolist()]})

output.write_text(json.dumps({
    "script": "tests/golden/scripts/make_minilm.py",
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    "cases": cases,
}, ensure_ascii=False))
