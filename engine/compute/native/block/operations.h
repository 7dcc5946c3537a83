// Whole frozen blocks as TensorFlow operations.
//   LacunaBlockForward(x, 12 weights, lengths, key_bias) -> y, kept        LacunaBlockBackward(dy, kept, 12 weights, lengths, key_bias) -> dx
// `lengths` [B] are the rows of each sample, `key_bias` [M] or [0] is added to every row's scores as a key.
#pragma once

#include "backward.h"
#include "forward.h"
#include "../tensorflow-c.h"

namespace lacuna {

// Reads weights and shape from the inputs that begin at `first`; false when they do not fit each other.
// Vectors may have several sets only where `hasSets`.
inline bool readBlock(Call& call, const Attributes& attributes, int first, BlockWeights* weights, BlockShape* shape, bool hasSets = false) {
  const int lengthsInput = first + 12, biasInput = first + 13;
  const float** fields[12] = {&weights->qkvWeight,  &weights->qkvBias,    &weights->outputWeight,   &weights->outputBias,   &weights->norm1Gamma, &weights->norm1Beta,
                              &weights->expandWeight, &weights->expandBias, &weights->contractWeight, &weights->contractBias, &weights->norm2Gamma, &weights->norm2Beta};
  for (int i = 0; i < 12; i++) *fields[i] = call.in(first + i);
  const int64_t D = call.last(first + 2), F = call.last(first + 6);
  if (!call.expect(D > 0 && F > 0, "width")) return false;
  const int64_t S = shape->sets = hasSets ? call.size(first + 1) / (3 * D) : 1;
  const int64_t sizes[12] = {3 * D * D, S * 3 * D, D * D, S * D, S * D, S * D, D * F, S * F, F * D, S * D, S * D, S * D};
  for (int i = 0; i < 12; i++) if (!call.expect(call.size(first + i) == sizes[i], "sizes of the block's weights")) return false;
  if (!call.expect(S > 0 && attributes.heads > 0 && D % attributes.heads == 0, "width and heads")) return false;
  shape->samples = call.size(lengthsInput);
  shape->heads = attributes.heads;
  shape->width = D;
  shape->feedForward = F;
  shape->preNorm = attributes.preNorm != 0;
  shape->firstOnly = attributes.firstOnly != 0;
  shape->epsilon = attributes.epsilon;
  shape->offsets.assign(1, 0);
  const int32_t* lengths = call.integers(lengthsInput);
  for (int64_t b = 0; b < shape->samples; b++) {
    if (!call.expect(lengths[b] > 0, "a sample without rows")) return false;
    shape->offsets.push_back(shape->offsets.back() + lengths[b]);
  }
  if (!call.expect(shape->samples > 0 && (call.size(biasInput) == 0 || call.size(biasInput) == shape->rows()), "lengths and key bias")) return false;
  shape->keyBias = call.size(biasInput) == 0 ? nullptr : call.in(biasInput);
  return true;
}

inline void computeBlockForward(void* state, TF_OpKernelContext* c) {
  Call call(c);
  const Attributes& attributes = *static_cast<Attributes*>(state);
  BlockWeights weights;
  BlockShape shape;
  if (!call.load(15) || !readBlock(call, attributes, 1, &weights, &shape)) return;
  if (!call.expect(call.size(0) == shape.rows() * shape.width, "rows of x")) return;
  const int64_t keptBytes = KeptBlock::at(nullptr, shape, attributes.keep).size;
  float* y = call.out(0, {shape.outputRows(), shape.width});
  int32_t* bytes = call.outIntegers(1, keptBytes / 4);
  if (!y || (keptBytes > 0 && !bytes)) return;
  const KeptBlock kept = KeptBlock::at(reinterpret_cast<uint8_t*>(bytes), shape, attributes.keep);
  blockForward(call.in(0), weights, shape, kept, y);
}

inline void computeBlockBackward(void* state, TF_OpKernelContext* c) {
  Call call(c);
  const Attributes& attributes = *static_cast<Attributes*>(state);
  BlockWeights weights;
  BlockShape shape;
  if (!call.expect(attributes.keep != kNothing, "a block that kept nothing")) return;
  if (!call.load(16) || !readBlock(call, attributes, 2, &weights, &shape)) return;
  uint8_t* bytes = reinterpret_cast<uint8_t*>(const_cast<int32_t*>(call.integers(1)));
  const KeptBlock kept = KeptBlock::at(bytes, shape, attributes.keep);
  if (!call.expect(call.size(0) == shape.outputRows() * shape.width && call.size(1) * 4 == kept.size, "rows of dy and kept values")) return;
  float* dx = call.out(0, {shape.rows(), shape.width});
  if (dx) blockBackward(call.in(0), weights, shape, kept, dx, Asked());
}

}  // namespace lacuna
