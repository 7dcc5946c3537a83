// The row loops as TensorFlow kernels: each reads its inputs, checks their shapes and shares the rows among the threads.
#pragma once

#include "pool.h"
#include "rows.h"
#include "tensorflow-c.h"

namespace lacuna {

void gelu(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 2 : 1)) return;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (hasBias && !call.expect(call.size(1) == width, "bias width")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *bias = hasBias ? call.in(1) : nullptr;
  pool().run(rows, width * 4, [=](int64_t from, int64_t to) { geluRows(x + from * width, bias, y + from * width, to - from, width); });
}
void computeGelu(void*, TF_OpKernelContext* c) { Call call(c); gelu(call, false); }
void computeBiasGelu(void*, TF_OpKernelContext* c) { Call call(c); gelu(call, true); }

void geluGradient(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 3 : 2)) return;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1) && (!hasBias || call.size(2) == width), "shapes of dy, x and bias")) return;
  float* dx = call.out(0, call.shape(1));
  if (!dx) return;
  const float *dy = call.in(0), *x = call.in(1), *bias = hasBias ? call.in(2) : nullptr;
  pool().run(rows, width * 4, [=](int64_t from, int64_t to) {
    geluGradientRows(dy + from * width, x + from * width, bias, dx + from * width, to - from, width);
  });
}
void computeGeluGradient(void*, TF_OpKernelContext* c) { Call call(c); geluGradient(call, false); }
void computeBiasGeluGradient(void*, TF_OpKernelContext* c) { Call call(c); geluGradient(call, true); }

void computeLayerNorm(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(3)) return;
  float epsilon = static_cast<Attributes*>(state)->epsilon;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(1) == width && call.size(2) == width, "width of gamma and beta")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *gamma = call.in(1), *beta = call.in(2);
  pool().run(rows, width, [=](int64_t from, int64_t to) { layerNormRows(x + from * width, gamma, beta, epsilon, y + from * width, to - from, width); });
}

void layerNormGradient(void* state, Call& call, bool hasResidual) {
  if (!call.load(hasResidual ? 4 : 3)) return;
  float epsilon = static_cast<Attributes*>(state)->epsilon;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1) && call.size(2) == width && (!hasResidual || call.size(3) == call.size(1)), "shapes")) return;
  float* dx = call.out(0, call.shape(1));
  if (!dx) return;
  const float *dy = call.in(0), *x = call.in(1), *gamma = call.in(2), *residual = hasResidual ? call.in(3) : nullptr;
  pool().run(rows, 2 * width, [=](int64_t from, int64_t to) {
    int64_t o = from * width;
    layerNormGradientRows(dy + o, x + o, gamma, residual ? residual + o : nullptr, epsilon, dx + o, to - from, width);
  });
}
void computeLayerNormGradient(void* s, TF_OpKernelContext* c) { Call call(c); layerNormGradient(s, call, false); }
void computeLayerNormGradientAdd(void* s, TF_OpKernelContext* c) { Call call(c); layerNormGradient(s, call, true); }

void softmax(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 2 : 1)) return;
  std::vector<int64_t> shape = call.shape(0);
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  int64_t rowsPerSample = std::max<int64_t>(1, rows / std::max<int64_t>(1, shape[0]));
  if (hasBias && !call.expect(call.size(1) == shape[0] * width, "key bias")) return;
  float* y = call.out(0, shape);
  if (!y) return;
  const float *x = call.in(0), *bias = hasBias ? call.in(1) : nullptr;
  pool().run(rows, 3 * width, [=](int64_t from, int64_t to) { softmaxRows(x, bias, rowsPerSample, y, from, to, width); });
}
void computeSoftmax(void*, TF_OpKernelContext* c) { Call call(c); softmax(call, false); }
void computeMaskedSoftmax(void*, TF_OpKernelContext* c) { Call call(c); softmax(call, true); }

void computeSoftmaxGradient(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(2)) return;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1), "shapes of dp and p")) return;
  float* ds = call.out(0, call.shape(1));
  if (!ds) return;
  const float *dp = call.in(0), *p = call.in(1);
  pool().run(rows, width, [=](int64_t from, int64_t to) { softmaxGradientRows(dp + from * width, p + from * width, ds + from * width, to - from, width); });
}

void computeAddBiasResidual(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(3)) return;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(1) == width && call.size(2) == call.size(0), "shapes of bias and residual")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *bias = call.in(1), *residual = call.in(2);
  pool().run(rows, width, [=](int64_t from, int64_t to) {
    addBiasResidualRows(x + from * width, bias, residual + from * width, y + from * width, to - from, width);
  });
}

// x [B*T, 3*H*d] + bias -> q, k, v, each [B, H, T, d].
void computeSplitQkv(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(2)) return;
  auto* attributes = static_cast<Attributes*>(state);
  int64_t B = attributes->batch, H = attributes->heads, width = call.last(0);
  if (!call.expect(B > 0 && H > 0 && width % (3 * H) == 0 && call.size(1) == width && call.size(0) % (B * width) == 0, "shapes of x and bias")) return;
  int64_t d = width / (3 * H), T = call.size(0) / (B * width), D = H * d;
  std::vector<int64_t> dims{B, H, T, d};
  float* outputs[3];
  for (int i = 0; i < 3; i++) if (!(outputs[i] = call.out(i, dims))) return;
  float* const* out = outputs;
  const float *x = call.in(0), *bias = call.in(1);
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int part = 0; part < 3; part++) {
        for (int64_t h = 0; h < H; h++) {
          const float* source = x + row * width + part * D + h * d;
          const float* add = bias + part * D + h * d;
          float* target = out[part] + ((b * H + h) * T + t) * d;
          for (int64_t i = 0; i < d; i++) target[i] = source[i] + add[i];
        }
      }
    }
  });
}

// Any number of [B, H, T, d] side by side: [B*T, count*H*d].
void joinHeads(Call& call, int count) {
  if (!call.load(count)) return;
  std::vector<int64_t> s = call.shape(0);
  if (!call.expect(s.size() == 4, "four axes")) return;
  int64_t B = s[0], H = s[1], T = s[2], d = s[3], width = count * H * d;
  const float* inputs[3] = {nullptr, nullptr, nullptr};
  for (int i = 0; i < count; i++) {
    if (!call.expect(call.size(i) == call.size(0), "equal shapes")) return;
    inputs[i] = call.in(i);
  }
  float* y = call.out(0, {B * T, width});
  if (!y) return;
  const float* const* in = inputs;
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int part = 0; part < count; part++) {
        for (int64_t h = 0; h < H; h++) {
          std::memcpy(y + row * width + (part * H + h) * d, in[part] + ((b * H + h) * T + t) * d, d * sizeof(float));
        }
      }
    }
  });
}
void computeJoinQkv(void*, TF_OpKernelContext* c) { Call call(c); joinHeads(call, 3); }
void computeJoinHeads(void*, TF_OpKernelContext* c) { Call call(c); joinHeads(call, 1); }

void computeSplitHeads(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(1)) return;
  auto* attributes = static_cast<Attributes*>(state);
  int64_t B = attributes->batch, H = attributes->heads, width = call.last(0);
  if (!call.expect(B > 0 && H > 0 && width % H == 0 && call.size(0) % (B * width) == 0, "shape of x")) return;
  int64_t d = width / H, T = call.size(0) / (B * width);
  float* y = call.out(0, {B, H, T, d});
  if (!y) return;
  const float* x = call.in(0);
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int64_t h = 0; h < H; h++) std::memcpy(y + ((b * H + h) * T + t) * d, x + row * width + h * d, d * sizeof(float));
    }
  });
}

void computeAdamW(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(5)) return;
  int64_t count = call.size(0);
  if (!call.expect(call.size(1) == count && call.size(2) == count && call.size(3) == count && call.size(4) == 8, "shapes")) return;
  float *p = call.out(0, call.shape(0)), *m = call.out(1, call.shape(0)), *v = call.out(2, call.shape(0));
  if (!p || !m || !v) return;
  const float *ip = call.in(0), *g = call.in(1), *im = call.in(2), *iv = call.in(3), *s = call.in(4);
  pool().run(count, 4, [=](int64_t a, int64_t b) { adamWValues(ip + a, g + a, im + a, iv + a, s, p + a, m + a, v + a, b - a); });
}

}  // namespace lacuna
