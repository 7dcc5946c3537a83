"""The same MoRA training step in PyTorch: frozen pre-LN or post-LN blocks, MoRA rank 4 beside block 0, pooler, classifier, AdamW.

Every block is computed in every step (as published); a missing modality enters as the paper's dummy input, at full length.
Arguments: blocks width heads feed_forward pre_norm batch text_tokens image_tokens classes patterns seconds compiled. `patterns` is one digit a
sample, bit 0 text and bit 1 image present; `compiled` 1 uses torch.compile. Prints one JSON line.
"""
import json
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F


def memory(field):
    """VmRSS (now) or VmHWM (highest) of this process in MB of 2^20 bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024


def reset_peak():
    """Starts VmHWM anew from what is resident now."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


BASE = memory("VmRSS")


class Block(nn.Module):
    def __init__(self, width, heads, feed_forward, pre_norm):
        super().__init__()
        self.heads, self.pre_norm = heads, pre_norm
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.expand, self.contract = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)

    def attend(self, x):
        batch, tokens, width = x.shape
        q, k, v = (f(x).view(batch, tokens, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        # PyTorch's own fused attention: its fastest form on the processor.
        context = F.scaled_dot_product_attention(q, k, v)
        return self.output(context.transpose(1, 2).reshape(batch, tokens, width))

    def forward(self, x):
        if self.pre_norm:
            u = x + self.attend(self.norm1(x))
            return u + self.contract(F.gelu(self.expand(self.norm2(u))))
        u = self.norm1(x + self.attend(x))
        return self.norm2(u + self.contract(F.gelu(self.expand(u))))


class Model(nn.Module):
    def __init__(self, blocks, width, heads, feed_forward, pre_norm, text_tokens, classes, rank=4):
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward, pre_norm) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-12) if pre_norm else None
        for parameter in self.parameters():
            parameter.requires_grad = False
        self.text_tokens = text_tokens
        self.down = nn.Parameter(torch.randn(width, rank) / rank)
        self.ups = nn.Parameter(torch.zeros(2, rank, width))
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Sequential(nn.Linear(width, 2 * width), nn.LayerNorm(2 * width), nn.GELU(), nn.Linear(2 * width, classes))

    def forward(self, x, presence):
        ups = torch.einsum("bm,mrd->brd", presence, self.ups)
        x = self.blocks[0](x) + torch.bmm(x @ self.down, ups)
        for block in self.blocks[1:]:
            x = block(x)
        if self.norm is not None:
            # Only the first token is read, so only it is normed.
            pooled = self.norm(x[:, 0])
        else:
            pooled = (x[:, : self.text_tokens].mean(1) + x[:, self.text_tokens :].mean(1)) / 2
        return self.classifier(torch.tanh(self.pooler(pooled)))


def main():
    blocks, width, heads, feed_forward, pre_norm, batch, text_tokens, image_tokens, classes = map(int, sys.argv[1:10])
    patterns, seconds, compiled = sys.argv[10], float(sys.argv[11]), sys.argv[12] == "1"
    torch.set_num_threads(2)
    torch.manual_seed(1)
    model = Model(blocks, width, heads, feed_forward, bool(pre_norm), text_tokens, classes)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.02)
    run = torch.compile(model) if compiled else model
    x = torch.randn(batch, text_tokens + image_tokens, width)
    presence = torch.tensor([[int(p) & 1, int(p) >> 1] for p in patterns], dtype=torch.float32)
    labels = (torch.rand(batch, classes) < 0.3).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(run(x, presence), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    if compiled:
        # The compiler's own memory is not the step's.
        step()
    whole = memory("VmHWM")
    reset_peak()
    step()
    step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    times.sort()
    peak = memory("VmHWM")
    print(json.dumps({
        "samplesPerSecond": batch / times[len(times) // 2], "bestSamplesPerSecond": batch / times[0], "peakMegabytes": max(whole, peak),
        "stepPeakMegabytes": peak, "baseMegabytes": BASE, "steps": len(times), "torch": torch.__version__,
    }))


main()
