"""The same MoRA training step in PyTorch eager: frozen pre-LN or post-LN blocks, MoRA rank 4 beside block 0, pooler, classifier, AdamW.

Arguments: blocks width heads feed_forward pre_norm batch text_tokens image_tokens classes seconds. Prints one JSON line.
"""
import json
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F


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

    def forward(self, x):
        x = self.blocks[0](x) + (x @ self.down) @ (self.ups[0] + self.ups[1])
        for block in self.blocks[1:]:
            x = block(x)
        if self.norm is not None:
            pooled = self.norm(x)[:, 0]
        else:
            pooled = (x[:, : self.text_tokens].mean(1) + x[:, self.text_tokens :].mean(1)) / 2
        return self.classifier(torch.tanh(self.pooler(pooled)))


def main():
    blocks, width, heads, feed_forward, pre_norm, batch, text_tokens, image_tokens, classes, seconds = map(int, sys.argv[1:])
    torch.set_num_threads(2)
    torch.manual_seed(1)
    model = Model(blocks, width, heads, feed_forward, bool(pre_norm), text_tokens, classes)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.02)
    x = torch.randn(batch, text_tokens + image_tokens, width)
    labels = (torch.rand(batch, classes) < 0.3).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    step()
    step()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    times.sort()
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({
        "samplesPerSecond": batch / times[len(times) // 2], "bestSamplesPerSecond": batch / times[0],
        "peakMegabytes": peak / 1024, "steps": len(times), "torch": torch.__version__,
    }))


main()
