// Forward pass of one block.
//   pre-LN:  u = x + Wo attn(LN1 x),  y = u + W2 gelu(W1 LN2 u)        post-LN:  u = LN1(x + Wo attn x),  y = LN2(u + W2 gelu(W1 u))
// Every W stands for factor (x W + x down up) + bias, where a block has factors or low-rank updates.
#pragma once

#include "low-rank.h"
#include "prompts.h"

namespace lacuna {

// Floats of working memory that `blockForward` takes.
inline int64_t forwardWorkspace(const BlockWeights& w, const BlockShape& s) {
  const int64_t D = s.width, ld = D + kRowPadding, M = s.rows(), chunk = std::min(kColumnsAtOnce, s.feedForward);
  const int64_t packed = std::max(packedSize(D, std::min(kColumnsAtOnce, 3 * D)), packedSize(D, chunk) + packedSize(chunk, D));
  return 2 * M * ld + 3 * M * D + packed + 5 * 16 + LowRankMemory::size(w, s, false);
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

  LowRankMemory low = LowRankMemory::take(w, s, memory, false);
  const Prompts prompts(w, s);

  auto norm = [&](const float* in, int64_t row, const float* gamma, const float* beta, float* out, const Kept& keptRows, float* inverse) {
    std::vector<float>& loaded = threadScratch().loaded;
    float* before = keptRows ? atLeast(loaded, D) : nullptr;
    layerNormRow(in, gamma, beta, s.epsilon, out, before, inverse ? inverse + row : nullptr, D);
    if (keptRows) keptRows.store(row, 0, before, D);
  };
  auto norm1 = [&](const float* in, int64_t row, int64_t set, float* out) {
    norm(in, row, w.norm1Gamma + set * D, w.norm1Beta + set * D, out, kept.normed1, kept.inverse1);
  };
  auto norm2 = [&](const float* in, int64_t row, float* out) {
    const int64_t set = s.outputSet(row);
    norm(in, row, w.norm2Gamma + set * D, w.norm2Beta + set * D, out, kept.normed2, kept.inverse2);
  };
  auto factorsOf = [&](Site site, int64_t set) { return w.factors + set * s.factorWidth() + s.factorOffset(site); };
  // What a map's low-rank update adds to the product of the rows `in` [rows, D].
  auto besideOf = [&](Site site, const float* in, int64_t rows, int64_t width, const int32_t* sets) {
    const LowRank& update = w.low[site];
    if (!update) return Beside{};
    lowRankProduct(in, ld, {update.down, update.rank, false}, rows, D, update.rank, sets, s.sets, low.outer, low.packed[0]);
    return Beside{low.outer, update.rank, {update.up, width, false}, low.packed[0]};
  };

  forRows(M, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      if (kept.input) kept.input.store(r, 0, x + r * D, D);
      if (kept.x) kept.x.store(r, 0, x + r * D, D);
      if (s.preNorm) norm1(x + r * D, r, s.inputSet(r), normed + r * ld);
      else std::memcpy(normed + r * ld, x + r * D, D * sizeof(float));
    }
  });
  linear(normed, ld, {w.qkvWeight, 3 * D, false}, M, D, 3 * D, qkv, 3 * D, packed, [&](int64_t row, int64_t count, int64_t column, int64_t columns) {
    for (int64_t r = row; r < row + count; r++) {
      const int64_t set = s.inputSet(r);
      float* values = qkv + r * 3 * D + column;
      if (w.factors) {
        if (kept.qkv) kept.qkv.store(r, column, values, columns);
        multiplyRow(values, factorsOf(kQkv, set) + column, values, columns);
      }
      addRow(values, w.qkvBias + set * 3 * D + column, nullptr, values, columns);
      if (kept.qkv && !w.factors) kept.qkv.store(r, column, values, columns);
    }
  }, besideOf(kQkv, normed, M, 3 * D, s.inputSets()));

  forHeads(s, [&](int64_t b, int64_t h) {
    const int64_t row = s.offsets[b], T = s.offsets[b + 1] - row;
    float* head = qkv + row * 3 * D + h * d;
    HeadRows k{head + D, 3 * D}, v{head + 2 * D, 3 * D};
    if (w.prompts) {
      float* joined = atLeast(threadScratch().loaded, 2 * (w.promptCount + T) * d);
      k = prompts.join(b, h, 0, k, T, joined);
      v = prompts.join(b, h, 1, v, T, joined + (w.promptCount + T) * d);
    }
    attend({head, 3 * D}, k, v, prompts.keyBias(b), s.firstOnly ? 1 : T, w.promptCount + T, d, {context + (s.firstOnly ? b : row) * ld + h * d, ld}, threadScratch());
  });

  // Query, key and value are done with: their place takes the sum after attention.
  float* sum = qkv;
  linear(context, ld, {w.outputWeight, D, false}, Q, D, D, sum, D, packed, nullptr, besideOf(kOutput, context, Q, D, s.outputSets()));
  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      const int64_t set = s.outputSet(r);
      float *u = sum + r * D, *out = normed + r * ld;
      if (kept.output) kept.output.store(r, 0, u, D);
      if (w.factors) multiplyRow(u, factorsOf(kOutput, set), u, D);
      addRow(u, w.outputBias + set * D, x + s.inputRow(r) * D, u, D);
      if (s.preNorm) norm2(u, r, out);
      else norm1(u, r, set, out);
      // Factors act on the whole product, so residual and bias follow it.
      if (y && !w.factors) addRow(s.preNorm ? u : out, w.contractBias + set * D, nullptr, y + r * D, D);
    }
  });

  // The hidden layer exists for a few rows and columns at a time: each piece is expanded, activated and contracted in the cache.
  const int64_t ldHidden = chunk + kRowPadding;
  const LowRank &lowExpand = w.low[kExpand], &lowContract = w.low[kContract];
  if (lowExpand) lowRankProduct(normed, ld, {lowExpand.down, lowExpand.rank, false}, Q, D, lowExpand.rank, s.outputSets(), s.sets, low.outer, low.packed[0]);
  if (lowContract && y) RightOperand{lowContract.up, D, false}.pack(0, lowContract.rank, 0, D, low.packed[2]);
  for (int64_t first = 0; first < F; first += chunk) {
    const int64_t columns = std::min(chunk, F - first);
    float* packedContract = packed + packedSize(D, chunk);
    RightOperand{w.expandWeight, F, false}.pack(0, D, first, columns, packed);
    if (y) RightOperand{w.contractWeight, D, false}.pack(first, columns, 0, D, packedContract);
    if (lowExpand) RightOperand{lowExpand.up, F, false}.pack(0, lowExpand.rank, first, columns, low.packed[0]);
    if (lowContract && y) RightOperand{lowContract.down, lowContract.rank, false}.pack(first, columns, 0, lowContract.rank, low.packed[1]);
    const bool isLast = first + columns == F;
    forRows(Q, [&](int64_t from, int64_t count) {
      AttentionScratch& scratch = threadScratch();
      float* hidden = atLeast(scratch.scores, count * ldHidden);
      float* slope = kept.slope ? atLeast(scratch.gradient, columns) : nullptr;
      multiply({normed + from * ld, ld, 1}, packed, count, D, columns, hidden, ldHidden, false);
      if (lowExpand) multiply({low.outer + from * lowExpand.rank, lowExpand.rank, 1}, low.packed[0], count, lowExpand.rank, columns, hidden, ldHidden, true);
      for (int64_t r = 0; r < count; r++) {
        const int64_t set = s.outputSet(from + r);
        float* values = hidden + r * ldHidden;
        if (kept.hidden) kept.hidden.store(from + r, first, values, columns);
        if (w.factors) multiplyRow(values, factorsOf(kExpand, set) + first, values, columns);
        geluWithSlope(values, w.expandBias + set * F + first, values, slope, columns);
        if (slope) kept.slope.store(from + r, first, slope, columns);
      }
      if (!y) return;
      multiply({hidden, ldHidden, 1}, packedContract, count, columns, D, y + from * D, D, !w.factors || first > 0);
      if (lowContract) {
        float* z = low.inner + from * lowContract.rank;
        multiply({hidden, ldHidden, 1}, low.packed[1], count, columns, lowContract.rank, z, lowContract.rank, first > 0);
        if (isLast) {
          maskSets(low.inner, lowContract.rank, s.outputSets(), s.sets, from, count, 0, lowContract.rank);
          multiply({z, lowContract.rank, 1}, low.packed[2], count, lowContract.rank, D, y + from * D, D, true);
        }
      }
      if (!isLast) return;
      for (int64_t r = from; r < from + count; r++) {
        const int64_t set = s.outputSet(r);
        float* out = y + r * D;
        if (w.factors) {
          if (kept.contract) kept.contract.store(r, 0, out, D);
          multiplyRow(out, factorsOf(kContract, set), out, D);
          addRow(out, w.contractBias + set * D, s.preNorm ? sum + r * D : normed + r * ld, out, D);
        }
        if (!s.preNorm) norm2(out, r, out);
      }
    });
  }
}

inline void blockForward(const float* x, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* y) {
  Workspace& memory = Workspace::instance();
  std::lock_guard<std::mutex> alone(memory.mutex);
  memory.begin(forwardWorkspace(w, s));
  forwardPass(x, w, s, kept, y, memory);
}

}  // namespace lacuna
