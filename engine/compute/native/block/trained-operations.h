// Blocks with trained parts inside as TensorFlow operations.
//   LacunaTrainedBlockForward(x, block, parts) -> y, kept
//   LacunaTrainedBlockBackward(dy, kept, block, parts) -> dx, vectors [S, 9D + F], factors [S, 5D + F], prompts, and down and up of four updates;
//     what nobody asked for has no elements
// `block` is as in operations.h with vectors [S, width]; `parts` are
//   sets [B]: which of the S sets each sample uses; factors [S, 5D + F] or [0]; prompts [B, 2, P, D] or [0];
//   down [in, rank] and up [rank, out] of the updates of the query-key-value, output, expand and contract map, [0] where there is none.
#pragma once

#include "operations.h"

namespace lacuna {

constexpr int kBlockInputs = 14, kPartInputs = 3 + 2 * kSites;

inline bool readParts(Call& call, int first, BlockWeights* weights, BlockShape* shape) {
  const int64_t D = shape->width, F = shape->feedForward, S = shape->sets, B = shape->samples;
  const int32_t* sets = call.integers(first);
  if (!call.expect(call.size(first) == B, "sets of samples")) return false;
  for (int64_t b = 0; b < B; b++) {
    if (!call.expect(sets[b] >= 0 && sets[b] < S, "a set that is not there")) return false;
    shape->setOfSample.push_back(sets[b]);
    shape->setOfRow.insert(shape->setOfRow.end(), shape->offsets[b + 1] - shape->offsets[b], sets[b]);
  }
  const int64_t factors = call.size(first + 1), prompts = call.size(first + 2);
  if (!call.expect((factors == 0 || factors == S * shape->factorWidth()) && prompts % (2 * B * D) == 0, "factors and prompts")) return false;
  if (factors > 0) weights->factors = call.in(first + 1);
  if (prompts > 0) weights->prompts = call.in(first + 2);
  weights->promptCount = prompts / (2 * B * D);
  const int64_t in[kSites] = {D, D, D, F}, out[kSites] = {3 * D, D, F, D};
  for (int site = 0; site < kSites; site++) {
    const int down = first + 3 + 2 * site;
    const int64_t rank = call.size(down) / in[site];
    if (!call.expect(call.size(down) == rank * in[site] && call.size(down + 1) == rank * out[site] && rank % S == 0, "low-rank updates")) return false;
    weights->low[site] = {call.in(down), call.in(down + 1), rank};
  }
  shape->keepsProducts = factors > 0;
  shape->keepsHidden = factors > 0 || weights->low[kContract];
  shape->keepsInput = !shape->preNorm && weights->low[kQkv];
  return true;
}

inline void computeTrainedBlockForward(void* state, TF_OpKernelContext* c) {
  Call call(c);
  const Attributes& attributes = *static_cast<Attributes*>(state);
  BlockWeights weights;
  BlockShape shape;
  if (!call.load(1 + kBlockInputs + kPartInputs) || !readBlock(call, attributes, 1, &weights, &shape, true) || !readParts(call, 1 + kBlockInputs, &weights, &shape)) return;
  if (!call.expect(call.size(0) == shape.rows() * shape.width, "rows of x") || !call.expect(attributes.keep != kInput, "what is kept")) return;
  const int64_t keptBytes = KeptBlock::at(nullptr, shape, attributes.keep).size;
  float* y = call.out(0, {shape.outputRows(), shape.width});
  int32_t* bytes = call.outIntegers(1, keptBytes / 4);
  if (!y || (keptBytes > 0 && !bytes)) return;
  blockForward(call.in(0), weights, shape, KeptBlock::at(reinterpret_cast<uint8_t*>(bytes), shape, attributes.keep), y);
}

inline void computeTrainedBlockBackward(void* state, TF_OpKernelContext* c) {
  Call call(c);
  const Attributes& attributes = *static_cast<Attributes*>(state);
  BlockWeights weights;
  BlockShape shape;
  if (!call.expect(attributes.keep == kHalf || attributes.keep == kFull, "what is kept")) return;
  if (!call.load(2 + kBlockInputs + kPartInputs) || !readBlock(call, attributes, 2, &weights, &shape, true) || !readParts(call, 2 + kBlockInputs, &weights, &shape)) return;
  const KeptBlock kept = KeptBlock::at(reinterpret_cast<uint8_t*>(const_cast<int32_t*>(call.integers(1))), shape, attributes.keep);
  if (!call.expect(call.size(0) == shape.outputRows() * shape.width && call.size(1) * 4 == kept.size, "rows of dy and kept values")) return;
  const int64_t D = shape.width, F = shape.feedForward, S = shape.sets;
  const bool asksFactors = attributes.wantsVectors && weights.factors;
  float* dx = call.out(0, {shape.rows(), D});
  float* vectors = call.out(1, {attributes.wantsVectors ? S : 0, 9 * D + F});
  float* factors = call.out(2, {asksFactors ? S : 0, shape.factorWidth()});
  float* prompts = call.out(3, {attributes.wantsPrompts ? shape.samples : 0, 2, weights.promptCount, D});
  Asked asked;
  const int64_t in[kSites] = {D, D, D, F}, out[kSites] = {3 * D, D, F, D};
  for (int site = 0; site < kSites; site++) {
    const bool asks = weights.low[site] && (attributes.wantsUpdates >> site & 1) != 0;
    float* down = call.out(4 + 2 * site, {asks ? in[site] : 0, weights.low[site].rank});
    float* up = call.out(5 + 2 * site, {asks ? weights.low[site].rank : 0, out[site]});
    if (asks && (!down || !up)) return;
    if (asks) asked.low[site] = {down, up};
  }
  if (!dx || (attributes.wantsVectors && !vectors) || (asksFactors && !factors) || (attributes.wantsPrompts && weights.prompts && !prompts)) return;
  if (attributes.wantsVectors) asked.vectors = VectorGradients::at(vectors, shape);
  if (asksFactors) asked.factors = factors;
  if (attributes.wantsPrompts && weights.prompts) asked.prompts = prompts;
  blockBackward(call.in(0), weights, shape, kept, dx, asked);
}

}  // namespace lacuna
