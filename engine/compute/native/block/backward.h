// Backward pass of one block: the gradient of its input from the gradient of its output. Its matrices are frozen, so none gets a gradient;
// those of its vectors, and what its query-key-value product receives, are written where somebody asks.
#pragma once

#include "forward.h"
#include "sums.h"

namespace lacuna {

// Floats of working memory that `blockBackward` takes.
inline int64_t backwardWorkspace(const BlockShape& s) {
  const int64_t D = s.width, ld = D + kRowPadding, M = s.rows(), chunk = std::min(kColumnsAtOnce, s.feedForward), columns = std::min(kColumnsAtOnce, D);
  const int64_t packed = std::max(packedSize(3 * D, columns), packedSize(D, chunk) + packedSize(chunk, D));
  const int64_t tasks = s.outputRows() / rowsAtOnce(s.outputRows()) + 1;
  return 2 * s.outputRows() * ld + M * (3 * D + kRowPadding) + packed + tasks * s.feedForward + 6 * 16;
}

// What a backward pass writes beside the input's gradient: vectors' gradients, and dL/dqkv [M, 3D].
struct Asked {
  VectorGradients vectors;
  float* dQkv = nullptr;
};

// dy [M, D] (or [B, D] for first rows only) -> dx [M, D], from everything that a block can keep. Takes its working memory from `memory`.
inline void backwardPass(const float* dy, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* dx, Workspace& memory, const Asked& asked) {
  const int64_t D = s.width, F = s.feedForward, ld = D + kRowPadding, M = s.rows(), Q = s.outputRows(), d = D / s.heads;
  const int64_t chunk = std::min(kColumnsAtOnce, F), ldQkv = 3 * D + kRowPadding;
  float* sum = memory.take(Q * ld);       // gradient of the sum that the feed-forward part is added to, then of the sum after attention
  float* context = memory.take(Q * ld);   // gradient of the heads' joined outputs
  float* dQkv = memory.take(M * ldQkv);
  float* packed = memory.take(std::max(packedSize(3 * D, std::min(kColumnsAtOnce, D)), packedSize(D, chunk) + packedSize(chunk, D)));
  const VectorGradients& sums = asked.vectors;
  const int64_t rowsOfTask = rowsAtOnce(Q), tasks = (Q + rowsOfTask - 1) / rowsOfTask;
  float* hiddenSums = sums ? memory.take(tasks * F) : nullptr;  // of each task's rows, added in their order at the end
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
  if (sums) {
    if (!s.preNorm) sumColumns(dy, D, Q, D, sums.norm2Beta, &kept.normed2, sums.norm2Gamma);
    sumColumns(sum, ld, Q, D, sums.contractBias);
  }

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
      if (sums) {
        float* total = hiddenSums + (from / rowsOfTask) * F + first;
        std::memset(total, 0, columns * sizeof(float));
        for (int64_t r = 0; r < count; r++) addRow(total, hidden + r * ldHidden, nullptr, total, columns);
      }
      multiply({hidden, ldHidden, 1}, packedExpand, count, columns, D, feed + from * D, D, first > 0);
    });
  }

  if (!s.preNorm) {
    forRows(Q, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) addRow(feed + r * D, sum + r * ld, nullptr, feed + r * D, D);
    });
  }
  if (sums) {
    sumColumns(hiddenSums, F, tasks, F, sums.expandBias);
    sumColumns(feed, D, Q, D, s.preNorm ? sums.norm2Beta : sums.norm1Beta, s.preNorm ? &kept.normed2 : &kept.normed1, s.preNorm ? sums.norm2Gamma : sums.norm1Gamma);
  }
  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float *f = feed + r * D, *g = sum + r * ld;
      if (s.preNorm) normGradient(f, r, kept.normed2, kept.inverse2, w.norm2Gamma, g, g);
      else normGradient(f, r, kept.normed1, kept.inverse1, w.norm1Gamma, nullptr, g);
    }
  });
  if (sums) sumColumns(sum, ld, Q, D, sums.outputBias);
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

  if (sums) sumColumns(dQkv, ldQkv, M, 3 * D, sums.qkvBias);
  if (asked.dQkv) {
    forRows(M, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) std::memcpy(asked.dQkv + r * 3 * D, dQkv + r * ldQkv, 3 * D * sizeof(float));
    });
  }
  linear(dQkv, ldQkv, {w.qkvWeight, 3 * D, true}, M, 3 * D, D, dx, D, packed, nullptr);
  if (sums && s.preNorm) sumColumns(dx, D, M, D, sums.norm1Beta, &kept.normed1, sums.norm1Gamma);
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
inline void blockBackward(const float* dy, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* dx, const Asked& asked) {
  Workspace& memory = Workspace::instance();
  std::lock_guard<std::mutex> alone(memory.mutex);
  if (!kept.input) {
    memory.begin(backwardWorkspace(s));
    return backwardPass(dy, w, s, kept, dx, memory, asked);
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
  backwardPass(dy, w, s, again, dx, memory, asked);
}

}  // namespace lacuna
