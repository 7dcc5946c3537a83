// Backward pass of one frozen block: the gradient of its input from the gradient of its output. Every weight is frozen, so none gets a gradient.
#pragma once

#include "forward.h"

namespace lacuna {

// Floats of working memory that `blockBackward` takes.
inline int64_t backwardWorkspace(const BlockShape& s) {
  const int64_t D = s.width, ld = D + kRowPadding, M = s.rows(), chunk = std::min(kColumnsAtOnce, s.feedForward), columns = std::min(kColumnsAtOnce, D);
  const int64_t packed = std::max(packedSize(3 * D, columns), packedSize(D, chunk) + packedSize(chunk, D));
  return 2 * s.outputRows() * ld + M * (3 * D + kRowPadding) + packed + 5 * 16;
}

// dy [M, D] (or [B, D] for first rows only) -> dx [M, D], from everything that a block can keep. Takes its working memory from `memory`.
inline void backwardPass(const float* dy, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* dx, Workspace& memory) {
  const int64_t D = s.width, F = s.feedForward, ld = D + kRowPadding, M = s.rows(), Q = s.outputRows(), d = D / s.heads;
  const int64_t chunk = std::min(kColumnsAtOnce, F), ldQkv = 3 * D + kRowPadding;
  float* sum = memory.take(Q * ld);       // gradient of the sum that the feed-forward part is added to, then of the sum after attention
  float* context = memory.take(Q * ld);   // gradient of the heads' joined outputs
  float* dQkv = memory.take(M * ldQkv);
  float* packed = memory.take(std::max(packedSize(3 * D, std::min(kColumnsAtOnce, D)), packedSize(D, chunk) + packedSize(chunk, D)));
  // The feed-forward gradient lies where dQkv will be.
  float* feed = dQkv;

  auto normGradient = [&](const float* dOut, int64_t row, const Kept& normed, const float* inverse, const float* gamma, const float* residual, float* out) {
    float* values = atLeast(threadScratch().loaded, D);
    normed.load(row, 0, values, D);
    layerNormGradientRow(dOut, values, inverse[row], gamma, residual, out, D);
  };

  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      if (s.preNorm) std::memcpy(sum + r * ld, dy + r * D, D * sizeof(float));
      else normGradient(dy + r * D, r, kept.normed2, kept.inverse2, w.norm2Gamma, nullptr, sum + r * ld);
    }
  });

  const int64_t ldHidden = chunk + kRowPadding;
  for (int64_t first = 0; first < F; first += chunk) {
    const int64_t columns = std::min(chunk, F - first);
    float* packedExpand = packed + packedSize(D, chunk);
    RightOperand{w.contractWeight, D, true}.pack(0, D, first, columns, packed);
    RightOperand{w.expandWeight, F, true}.pack(first, columns, 0, D, packedExpand);
    forRows(Q, [&](int64_t from, int64_t count) {
      AttentionScratch& scratch = threadScratch();
      float* hidden = atLeast(scratch.scores, count * ldHidden);
      float* slope = atLeast(scratch.gradient, columns);
      multiply({sum + from * ld, ld, 1}, packed, count, D, columns, hidden, ldHidden, false);
      for (int64_t r = 0; r < count; r++) {
        kept.slope.load(from + r, first, slope, columns);
        multiplyRow(hidden + r * ldHidden, slope, hidden + r * ldHidden, columns);
      }
      multiply({hidden, ldHidden, 1}, packedExpand, count, columns, D, feed + from * D, D, first > 0);
    });
  }

  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float *f = feed + r * D, *g = sum + r * ld;
      if (s.preNorm) {
        normGradient(f, r, kept.normed2, kept.inverse2, w.norm2Gamma, g, g);
      } else {
        addRow(f, g, nullptr, f, D);
        normGradient(f, r, kept.normed1, kept.inverse1, w.norm1Gamma, nullptr, g);
      }
    }
  });
  linear(sum, ld, {w.outputWeight, D, true}, Q, D, D, context, ld, packed, nullptr);

  forHeads(s, [&](int64_t b, int64_t h) {
    const int64_t row = s.offsets[b], T = s.offsets[b + 1] - row, queries = s.firstOnly ? 1 : T;
    AttentionScratch& scratch = threadScratch();
    float* q = atLeast(scratch.loaded, 3 * T * d);
    float *k = q + T * d, *v = k + T * d;
    for (int64_t t = 0; t < T; t++) {
      kept.qkv.load(row + t, h * d, q + t * d, d);
      kept.qkv.load(row + t, D + h * d, k + t * d, d);
      kept.qkv.load(row + t, 2 * D + h * d, v + t * d, d);
    }
    float* gradient = dQkv + row * ldQkv + h * d;
    // Rows whose query was not used have no gradient there.
    for (int64_t t = queries; t < T; t++) std::memset(gradient + t * ldQkv, 0, d * sizeof(float));
    attendGradient({q, d}, {k, d}, {v, d}, s.keyBias ? s.keyBias + row : nullptr, queries, T, d, {context + (s.firstOnly ? b : row) * ld + h * d, ld},
                   {gradient, ldQkv}, {gradient + D, ldQkv}, {gradient + 2 * D, ldQkv}, scratch);
  });

  linear(dQkv, ldQkv, {w.qkvWeight, 3 * D, true}, M, 3 * D, D, dx, D, packed, nullptr);
  forRows(M, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float* out = dx + r * D;
      if (s.preNorm) normGradient(out, r, kept.normed1, kept.inverse1, w.norm1Gamma, s.firstOnly ? nullptr : sum + r * ld, out);
      else if (!s.firstOnly) addRow(out, sum + r * ld, nullptr, out, D);
    }
  });
  if (!s.firstOnly) return;
  for (int64_t b = 0; b < s.samples; b++) addRow(dx + s.offsets[b] * D, sum + b * ld, nullptr, dx + s.offsets[b] * D, D);
}

// The same from what the block did keep; after `kInput` everything else is computed again first (Chen et al. 2016, arXiv:1604.06174).
inline void blockBackward(const float* dy, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* dx) {
  Workspace& memory = Workspace::instance();
  std::lock_guard<std::mutex> alone(memory.mutex);
  if (!kept.input) {
    memory.begin(backwardWorkspace(s));
    return backwardPass(dy, w, s, kept, dx, memory);
  }
  const int64_t M = s.rows(), D = s.width, keptFloats = KeptBlock::at(nullptr, s, kHalf).size / 4;
  memory.begin(keptFloats + std::max(M * D + forwardWorkspace(s), backwardWorkspace(s)) + 3 * 16);
  KeptBlock again = KeptBlock::at(reinterpret_cast<uint8_t*>(memory.take(keptFloats)), s, kHalf);
  const int64_t mark = memory.mark();
  float* x = memory.take(M * D);
  forRows(M, [&](int64_t from, int64_t count) { kept.input.load(from, 0, x + from * D, count * D); });
  forwardPass(x, w, s, again, nullptr, memory);
  memory.backTo(mark);
  if (!s.preNorm) {
    again.normed2 = kept.normed2;
    again.inverse2 = kept.inverse2;
  }
  backwardPass(dy, w, s, again, dx, memory);
}

}  // namespace lacuna
