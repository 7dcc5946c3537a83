// Forward pass of one frozen block.
//   pre-LN:  u = x + Wo attn(LN1 x),  y = u + W2 gelu(W1 LN2 u)        post-LN:  u = LN1(x + Wo attn x),  y = LN2(u + W2 gelu(W1 u))
#pragma once

#include "block.h"

namespace lacuna {

// Floats of working memory that `blockForward` takes.
inline int64_t forwardWorkspace(const BlockShape& s) {
  const int64_t D = s.width, ld = D + kRowPadding, M = s.rows(), chunk = std::min(kColumnsAtOnce, s.feedForward);
  const int64_t packed = std::max(packedSize(D, std::min(kColumnsAtOnce, 3 * D)), packedSize(D, chunk) + packedSize(chunk, D));
  return 2 * M * ld + 3 * M * D + packed + 5 * 16;
}

// x [M, D] -> y [M, D], or [B, D] for first rows only. Fills what `kept` has. Without y the pass ends at the hidden layer's slope: all that
// a backward pass computes again. Takes its working memory from `memory`.
inline void forwardPass(const float* x, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* y, Workspace& memory) {
  const int64_t D = s.width, F = s.feedForward, ld = D + kRowPadding, M = s.rows(), Q = s.outputRows(), d = D / s.heads;
  float* normed = memory.take(M * ld);
  float* context = memory.take(M * ld);
  float* qkv = memory.take(3 * M * D);
  const int64_t chunk = std::min(kColumnsAtOnce, F);
  float* packed = memory.take(std::max(packedSize(D, std::min(kColumnsAtOnce, 3 * D)), packedSize(D, chunk) + packedSize(chunk, D)));

  auto norm = [&](const float* in, int64_t row, const float* gamma, const float* beta, float* out, const Kept& keptRows, float* inverse) {
    std::vector<float>& loaded = threadScratch().loaded;
    float* before = keptRows ? atLeast(loaded, D) : nullptr;
    layerNormRow(in, gamma, beta, s.epsilon, out, before, inverse ? inverse + row : nullptr, D);
    if (keptRows) keptRows.store(row, 0, before, D);
  };

  forRows(M, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      if (kept.input) kept.input.store(r, 0, x + r * D, D);
      if (s.preNorm) norm(x + r * D, r, w.norm1Gamma, w.norm1Beta, normed + r * ld, kept.normed1, kept.inverse1);
      else std::memcpy(normed + r * ld, x + r * D, D * sizeof(float));
    }
  });
  linear(normed, ld, {w.qkvWeight, 3 * D, false}, M, D, 3 * D, qkv, 3 * D, packed, [&](int64_t row, int64_t count, int64_t column, int64_t columns) {
    for (int64_t r = row; r < row + count; r++) {
      float* values = qkv + r * 3 * D + column;
      addRow(values, w.qkvBias + column, nullptr, values, columns);
      if (kept.qkv) kept.qkv.store(r, column, values, columns);
    }
  });

  forHeads(s, [&](int64_t b, int64_t h) {
    const int64_t row = s.offsets[b], T = s.offsets[b + 1] - row;
    float* head = qkv + row * 3 * D + h * d;
    attend({head, 3 * D}, {head + D, 3 * D}, {head + 2 * D, 3 * D}, s.keyBias ? s.keyBias + row : nullptr, s.firstOnly ? 1 : T, T, d,
           {context + (s.firstOnly ? b : row) * ld + h * d, ld}, threadScratch());
  });

  // Query, key and value are done with: their place takes the sum after attention.
  float* sum = qkv;
  linear(context, ld, {w.outputWeight, D, false}, Q, D, D, sum, D, packed, nullptr);
  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float* u = sum + r * D;
      addRow(u, w.outputBias, x + s.inputRow(r) * D, u, D);
      if (s.preNorm) {
        norm(u, r, w.norm2Gamma, w.norm2Beta, normed + r * ld, kept.normed2, kept.inverse2);
        if (y) addRow(u, w.contractBias, nullptr, y + r * D, D);
      } else {
        norm(u, r, w.norm1Gamma, w.norm1Beta, normed + r * ld, kept.normed1, kept.inverse1);
        if (y) addRow(normed + r * ld, w.contractBias, nullptr, y + r * D, D);
      }
    }
  });

  // The hidden layer exists for a few rows and columns at a time: each piece is expanded, activated and contracted in the cache.
  const int64_t ldHidden = chunk + kRowPadding;
  for (int64_t first = 0; first < F; first += chunk) {
    const int64_t columns = std::min(chunk, F - first);
    float* packedContract = packed + packedSize(D, chunk);
    RightOperand{w.expandWeight, F, false}.pack(0, D, first, columns, packed);
    if (y) RightOperand{w.contractWeight, D, false}.pack(first, columns, 0, D, packedContract);
    const bool isLast = first + columns == F;
    forRows(Q, [&](int64_t from, int64_t count) {
      AttentionScratch& scratch = threadScratch();
      float* hidden = atLeast(scratch.scores, count * ldHidden);
      float* slope = kept.slope ? atLeast(scratch.gradient, columns) : nullptr;
      multiply({normed + from * ld, ld, 1}, packed, count, D, columns, hidden, ldHidden, false);
      for (int64_t r = 0; r < count; r++) {
        geluWithSlope(hidden + r * ldHidden, w.expandBias + first, hidden + r * ldHidden, slope, columns);
        if (slope) kept.slope.store(from + r, first, slope, columns);
      }
      if (!y) return;
      multiply({hidden, ldHidden, 1}, packedContract, count, columns, D, y + from * D, D, true);
      if (s.preNorm || !isLast) return;
      for (int64_t r = from; r < from + count; r++) norm(y + r * D, r, w.norm2Gamma, w.norm2Beta, y + r * D, kept.normed2, kept.inverse2);
    });
  }
}

inline void blockForward(const float* x, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* y) {
  Workspace& memory = Workspace::instance();
  std::lock_guard<std::mutex> alone(memory.mutex);
  memory.begin(forwardWorkspace(s));
  forwardPass(x, w, s, kept, y, memory);
}

}  // namespace lacuna
