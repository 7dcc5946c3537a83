// Backward pass of one block: the gradient of its input from the gradient of its output. Its matrices are frozen, so none gets a gradient;
// those of its vectors, factors, low-rank updates and prompts are written where somebody asks.
#pragma once

#include "forward.h"
#include "sums.h"

namespace lacuna {

// Floats of working memory that `blockBackward` takes.
inline int64_t backwardWorkspace(const BlockWeights& w, const BlockShape& s) {
  const int64_t D = s.width, ld = D + kRowPadding, M = s.rows(), chunk = std::min(kColumnsAtOnce, s.feedForward), columns = std::min(kColumnsAtOnce, D);
  const int64_t packed = std::max(packedSize(3 * D, columns), packedSize(D, chunk) + packedSize(chunk, D));
  const int64_t tasks = s.outputRows() / rowsAtOnce(s.outputRows()) + 1;
  return (w.factors ? 3 : 2) * s.outputRows() * ld + M * (3 * D + kRowPadding) + packed + 2 * tasks * s.sets * s.feedForward + 8 * 16 + LowRankMemory::size(w, s, true);
}

// What a backward pass writes beside the input's gradient; null or empty where nobody asks.
struct Asked {
  VectorGradients vectors;
  float* factors = nullptr;  // [sets, 5D + F]; only with `vectors`
  LowRankGradients low[kSites];
  float* prompts = nullptr;  // [samples, 2, prompts, D]
};

// dy [M, D] (or [B, D] for first rows only) -> dx [M, D], from everything that a block can keep. Takes its working memory from `memory`.
inline void backwardPass(const float* dy, const BlockWeights& w, const BlockShape& s, const KeptBlock& kept, float* dx, Workspace& memory, const Asked& asked) {
  const int64_t D = s.width, F = s.feedForward, ld = D + kRowPadding, M = s.rows(), Q = s.outputRows(), d = D / s.heads;
  const int64_t chunk = std::min(kColumnsAtOnce, F), ldQkv = 3 * D + kRowPadding;
  float* sum = memory.take(Q * ld);       // gradient of the sum that the feed-forward part is added to, then of the sum after attention
  float* context = memory.take(Q * ld);   // gradient of the heads' joined outputs
  float* scaled = w.factors ? memory.take(Q * ld) : sum;  // `sum` times a map's factors: the gradient of its product
  float* dQkv = memory.take(M * ldQkv);
  float* packed = memory.take(std::max(packedSize(3 * D, std::min(kColumnsAtOnce, D)), packedSize(D, chunk) + packedSize(chunk, D)));
  LowRankMemory low = LowRankMemory::take(w, s, memory, true);
  const VectorGradients& sums = asked.vectors;
  const int64_t rowsOfTask = rowsAtOnce(Q), tasks = (Q + rowsOfTask - 1) / rowsOfTask;
  // Of each task's rows, added in their order at the end.
  float* hiddenSums = sums ? memory.take(tasks * s.sets * F) : nullptr;
  float* hiddenFactors = asked.factors ? memory.take(tasks * s.sets * F) : nullptr;
  // The feed-forward gradient lies where dQkv will be.
  float* feed = dQkv;

  auto factorsOf = [&](Site site, int64_t set) { return w.factors + set * s.factorWidth() + s.factorOffset(site); };
  auto normGradient = [&](const float* dOut, int64_t row, const Kept& normed, const float* inverse, const float* gamma, const float* residual, float* out) {
    float* values = atLeast(threadScratch().loaded, D);
    normed.load(row, 0, values, D);
    layerNormGradientRow(dOut, values, inverse[row], gamma, residual, out, D);
  };
  auto scale = [&](Site site) {
    if (!w.factors) return;
    forRows(Q, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) multiplyRow(sum + r * ld, factorsOf(site, s.outputSet(r)), scaled + r * ld, D);
    });
  };
  auto over = [&](bool isOutput, int64_t width) { return SumOver{isOutput ? Q : M, width, isOutput ? s.outputSets() : s.inputSets(), s.sets, VectorGradients::width(s)}; };
  // Sums of a map's bias, and of its factors where they are asked for.
  auto sumMap = [&](Site site, const float* a, int64_t lda, const SumOver& rows, float* bias, const Kept& product) {
    const bool has = asked.factors != nullptr;
    sumColumns(a, lda, rows, bias, has ? &product : nullptr, has ? asked.factors + s.factorOffset(site) : nullptr, s.factorWidth());
  };
  auto sumNorm = [&](const float* a, int64_t lda, const SumOver& rows, float* beta, const Kept& normed, float* gamma) {
    sumColumns(a, lda, rows, beta, &normed, gamma, rows.stride);
  };
  // The gradient dz [rows, rank] behind a low-rank update, from that of its map's product.
  auto lowBack = [&](Site site, const float* dProduct, int64_t ldProduct, int64_t rows, int64_t width, const int32_t* sets, float* dz) {
    lowRankProduct(dProduct, ldProduct, {w.low[site].up, width, true}, rows, width, w.low[site].rank, sets, s.sets, dz, low.packed[0]);
  };
  // What that gives the map's input, on top of what comes through the frozen matrix.
  auto besideBack = [&](Site site) {
    return w.low[site] ? Beside{low.outerBack, w.low[site].rank, {w.low[site].down, w.low[site].rank, true}, low.packed[0]} : Beside{};
  };
  // Both gradients of an update whose map has the input `low.inputs`, and whose dz lies in `low.outerBack`.
  auto lowGradients = [&](Site site, const float* dProduct, int64_t ldProduct, int64_t rows, int64_t width, const int32_t* sets) {
    const LowRank& update = w.low[site];
    if (!asked.low[site]) return;
    lowRankProduct(low.inputs, ld, {update.down, update.rank, false}, rows, D, update.rank, sets, s.sets, low.outer, low.packed[0]);
    matrixGradient(low.outer, update.rank, dProduct, ldProduct, rows, update.rank, width, asked.low[site].up, width, low.packedRows);
    matrixGradient(low.inputs, ld, low.outerBack, update.rank, rows, D, update.rank, asked.low[site].down, update.rank, low.packedRows);
  };
  // A norm's output again, from its kept normed rows.
  auto normedAgain = [&](int64_t rows, const int32_t* sets, const Kept& normed, const float* gamma, const float* beta) {
    forRows(rows, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) {
        const int64_t set = sets ? sets[r] : 0;
        float* out = low.inputs + r * ld;
        normed.load(r, 0, out, D);
        multiplyRow(out, gamma + set * D, out, D);
        addRow(out, beta + set * D, nullptr, out, D);
      }
    });
  };

  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      if (s.preNorm) std::memcpy(sum + r * ld, dy + r * D, D * sizeof(float));
      else normGradient(dy + r * D, r, kept.normed2, kept.inverse2, w.norm2Gamma + s.outputSet(r) * D, nullptr, sum + r * ld);
    }
  });
  if (sums) {
    if (!s.preNorm) sumNorm(dy, D, over(true, D), sums.norm2Beta, kept.normed2, sums.norm2Gamma);
    sumMap(kContract, sum, ld, over(true, D), sums.contractBias, kept.contract);
  }
  scale(kContract);

  const LowRank &lowExpand = w.low[kExpand], &lowContract = w.low[kContract];
  const bool asksExpand = static_cast<bool>(asked.low[kExpand]), asksContract = static_cast<bool>(asked.low[kContract]);
  if (lowContract) lowBack(kContract, scaled, ld, Q, D, s.outputSets(), low.innerBack);
  if (asksExpand) {
    normedAgain(Q, s.outputSets(), s.preNorm ? kept.normed2 : kept.normed1, s.preNorm ? w.norm2Gamma : w.norm1Gamma, s.preNorm ? w.norm2Beta : w.norm1Beta);
    lowRankProduct(low.inputs, ld, {lowExpand.down, lowExpand.rank, false}, Q, D, lowExpand.rank, s.outputSets(), s.sets, low.outer, low.packed[0]);
  }
  const int64_t ldHidden = chunk + kRowPadding;
  for (int64_t first = 0; first < F; first += chunk) {
    const int64_t columns = std::min(chunk, F - first);
    float* packedExpand = packed + packedSize(D, chunk);
    RightOperand{w.contractWeight, D, true}.pack(0, D, first, columns, packed);
    RightOperand{w.expandWeight, F, true}.pack(first, columns, 0, D, packedExpand);
    if (lowContract) RightOperand{lowContract.down, lowContract.rank, true}.pack(0, lowContract.rank, first, columns, low.packed[1]);
    if (asksContract) RightOperand{lowContract.down, lowContract.rank, false}.pack(first, columns, 0, lowContract.rank, low.packed[2]);
    if (lowExpand) RightOperand{lowExpand.up, F, true}.pack(first, columns, 0, lowExpand.rank, low.packed[3]);
    forRows(Q, [&](int64_t from, int64_t count) {
      AttentionScratch& scratch = threadScratch();
      float* hidden = asksExpand ? low.hidden + from * ldHidden : atLeast(scratch.scores, count * ldHidden);
      float* slope = atLeast(scratch.gradient, columns);
      float* product = kept.hidden ? atLeast(scratch.loaded, 2 * columns) : nullptr;
      multiply({scaled + from * ld, ld, 1}, packed, count, D, columns, hidden, ldHidden, false);
      if (lowContract) multiply({low.innerBack + from * lowContract.rank, lowContract.rank, 1}, low.packed[1], count, lowContract.rank, columns, hidden, ldHidden, true);
      float* total = sums ? hiddenSums + from / rowsOfTask * s.sets * F + first : nullptr;
      float* weighted = asked.factors ? hiddenFactors + from / rowsOfTask * s.sets * F + first : nullptr;
      for (int64_t set = 0; set < s.sets; set++) {
        if (total) std::memset(total + set * F, 0, columns * sizeof(float));
        if (weighted) std::memset(weighted + set * F, 0, columns * sizeof(float));
      }
      for (int64_t r = 0; r < count; r++) {
        const int64_t set = s.outputSet(from + r);
        float* gradient = hidden + r * ldHidden;
        if (kept.hidden) {
          float* activated = asksContract ? low.activated + (from + r) * ldHidden : product + columns;
          kept.hidden.load(from + r, first, product, columns);
          const float* before = product;
          if (w.factors) {
            multiplyRow(product, factorsOf(kExpand, set) + first, activated, columns);
            before = activated;
          }
          geluWithSlope(before, w.expandBias + set * F + first, activated, slope, columns);
        } else {
          kept.slope.load(from + r, first, slope, columns);
        }
        multiplyRow(gradient, slope, gradient, columns);
        if (total) addRow(total + set * F, gradient, nullptr, total + set * F, columns);
        if (weighted) addProductRow(weighted + set * F, gradient, product, columns);
        if (w.factors) multiplyRow(gradient, factorsOf(kExpand, set) + first, gradient, columns);
      }
      if (asksContract) multiply({low.activated + from * ldHidden, ldHidden, 1}, low.packed[2], count, columns, lowContract.rank, low.inner + from * lowContract.rank, lowContract.rank, first > 0);
      if (lowExpand) multiply({hidden, ldHidden, 1}, low.packed[3], count, columns, lowExpand.rank, low.outerBack + from * lowExpand.rank, lowExpand.rank, first > 0);
      multiply({hidden, ldHidden, 1}, packedExpand, count, columns, D, feed + from * D, D, first > 0);
    });
    if (asksExpand) matrixGradient(low.outer, lowExpand.rank, low.hidden, ldHidden, Q, lowExpand.rank, columns, asked.low[kExpand].up + first, F, low.packedRows);
    if (asksContract) matrixGradient(low.activated, ldHidden, low.innerBack, lowContract.rank, Q, columns, lowContract.rank, asked.low[kContract].down + first * lowContract.rank, lowContract.rank, low.packedRows);
  }
  if (asksContract) {
    maskSets(low.inner, lowContract.rank, s.outputSets(), s.sets, 0, Q, 0, lowContract.rank);
    matrixGradient(low.inner, lowContract.rank, scaled, ld, Q, lowContract.rank, D, asked.low[kContract].up, D, low.packedRows);
  }
  if (lowExpand) {
    maskSets(low.outerBack, lowExpand.rank, s.outputSets(), s.sets, 0, Q, 0, lowExpand.rank);
    RightOperand{lowExpand.down, lowExpand.rank, true}.pack(0, lowExpand.rank, 0, D, low.packed[0]);
    forRows(Q, [&](int64_t from, int64_t count) {
      multiply({low.outerBack + from * lowExpand.rank, lowExpand.rank, 1}, low.packed[0], count, lowExpand.rank, D, feed + from * D, D, true);
    });
    if (asksExpand) matrixGradient(low.inputs, ld, low.outerBack, lowExpand.rank, Q, D, lowExpand.rank, asked.low[kExpand].down, lowExpand.rank, low.packedRows);
  }

  if (!s.preNorm) {
    forRows(Q, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) addRow(feed + r * D, sum + r * ld, nullptr, feed + r * D, D);
    });
  }
  if (sums) {
    sumTasks(hiddenSums, tasks, s.sets, F, sums.expandBias, VectorGradients::width(s));
    if (asked.factors) sumTasks(hiddenFactors, tasks, s.sets, F, asked.factors + s.factorOffset(kExpand), s.factorWidth());
    if (s.preNorm) sumNorm(feed, D, over(true, D), sums.norm2Beta, kept.normed2, sums.norm2Gamma);
    else sumNorm(feed, D, over(true, D), sums.norm1Beta, kept.normed1, sums.norm1Gamma);
  }
  forRows(Q, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float *f = feed + r * D, *g = sum + r * ld;
      const int64_t set = s.outputSet(r);
      if (s.preNorm) normGradient(f, r, kept.normed2, kept.inverse2, w.norm2Gamma + set * D, g, g);
      else normGradient(f, r, kept.normed1, kept.inverse1, w.norm1Gamma + set * D, nullptr, g);
    }
  });
  if (sums) sumMap(kOutput, sum, ld, over(true, D), sums.outputBias, kept.output);
  scale(kOutput);
  if (w.low[kOutput]) lowBack(kOutput, scaled, ld, Q, D, s.outputSets(), low.outerBack);
  linear(scaled, ld, {w.outputWeight, D, true}, Q, D, D, context, ld, packed, nullptr, besideBack(kOutput));

  const Prompts prompts(w, s);
  const int64_t P = w.promptCount;
  forHeads(s, [&](int64_t b, int64_t h) {
    const int64_t row = s.offsets[b], T = s.offsets[b + 1] - row, queries = s.firstOnly ? 1 : T, keys = P + T;
    AttentionScratch& scratch = threadScratch();
    float* q = atLeast(scratch.loaded, (T + (P > 0 ? 4 : 2) * keys) * d);
    float *k = q + T * d, *v = k + keys * d;
    const float *factors = w.factors ? factorsOf(kQkv, s.inputSet(row)) + h * d : nullptr, *bias = w.qkvBias + s.inputSet(row) * 3 * D + h * d;
    auto load = [&](int64_t t, int64_t part, float* out) {
      kept.qkv.load(row + t, part * D + h * d, out, d);
      if (!factors) return;
      multiplyRow(out, factors + part * D, out, d);
      addRow(out, bias + part * D, nullptr, out, d);
    };
    if (P > 0) {
      prompts.copyFront(b, h, 0, k);
      prompts.copyFront(b, h, 1, v);
    }
    for (int64_t t = 0; t < T; t++) {
      load(t, 0, q + t * d);
      load(t, 1, k + (P + t) * d);
      load(t, 2, v + (P + t) * d);
    }
    float* gradient = dQkv + row * ldQkv + h * d;
    // Rows whose query was not used have no gradient there.
    for (int64_t t = queries; t < T; t++) std::memset(gradient + t * ldQkv, 0, d * sizeof(float));
    HeadRows dk{gradient + D, ldQkv}, dv{gradient + 2 * D, ldQkv};
    if (P > 0) {
      dk = {v + keys * d, d};
      dv = {v + 2 * keys * d, d};
    }
    const int64_t outputRow = s.firstOnly ? b : row;
    const HeadRows again = asked.low[kOutput] ? HeadRows{low.inputs + outputRow * ld + h * d, ld} : HeadRows{nullptr, 0};
    attendGradient({q, d}, {k, d}, {v, d}, prompts.keyBias(b), queries, keys, d, {context + outputRow * ld + h * d, ld}, {gradient, ldQkv}, dk, dv, again, scratch);
    for (int64_t t = 0; P > 0 && t < keys; t++) {
      const int64_t own = t - P;
      float* keyGradient = own >= 0 ? gradient + own * ldQkv + D : asked.prompts ? asked.prompts + prompts.offset(b, 0, t) + h * d : nullptr;
      float* valueGradient = own >= 0 ? gradient + own * ldQkv + 2 * D : asked.prompts ? asked.prompts + prompts.offset(b, 1, t) + h * d : nullptr;
      if (keyGradient == nullptr) continue;
      std::memcpy(keyGradient, dk.data + t * d, d * sizeof(float));
      std::memcpy(valueGradient, dv.data + t * d, d * sizeof(float));
    }
  });
  lowGradients(kOutput, scaled, ld, Q, D, s.outputSets());

  if (sums) sumMap(kQkv, dQkv, ldQkv, over(false, 3 * D), sums.qkvBias, kept.qkv);
  if (w.factors) {
    forRows(M, [&](int64_t from, int64_t count) {
      for (int64_t r = from; r < from + count; r++) multiplyRow(dQkv + r * ldQkv, factorsOf(kQkv, s.inputSet(r)), dQkv + r * ldQkv, 3 * D);
    });
  }
  if (w.low[kQkv]) lowBack(kQkv, dQkv, ldQkv, M, 3 * D, s.inputSets(), low.outerBack);
  linear(dQkv, ldQkv, {w.qkvWeight, 3 * D, true}, M, 3 * D, D, dx, D, packed, nullptr, besideBack(kQkv));
  if (asked.low[kQkv]) {
    if (s.preNorm) normedAgain(M, s.inputSets(), kept.normed1, w.norm1Gamma, w.norm1Beta);
    else forRows(M, [&](int64_t from, int64_t count) { for (int64_t r = from; r < from + count; r++) kept.x.load(r, 0, low.inputs + r * ld, D); });
    lowGradients(kQkv, dQkv, ldQkv, M, 3 * D, s.inputSets());
  }
  if (sums && s.preNorm) sumNorm(dx, D, over(false, D), sums.norm1Beta, kept.normed1, sums.norm1Gamma);
  forRows(M, [&](int64_t from, int64_t count) {
    for (int64_t r = from; r < from + count; r++) {
      float* out = dx + r * D;
      if (s.preNorm) normGradient(out, r, kept.normed1, kept.inverse1, w.norm1Gamma + s.inputSet(r) * D, s.firstOnly ? nullptr : sum + r * ld, out);
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
    memory.begin(backwardWorkspace(w, s));
    return backwardPass(dy, w, s, kept, dx, memory, asked);
  }
  const int64_t M = s.rows(), D = s.width, keptFloats = KeptBlock::at(nullptr, s, kHalf).size / 4;
  memory.begin(keptFloats + std::max(M * D + forwardWorkspace(w, s), backwardWorkspace(w, s)) + 3 * 16);
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
