// Scaled dot-product attention of one head of one sample (Vaswani et al. 2017, arXiv:1706.03762, eq. 1), forward and backward. The scores
// exist for one head at a time and a thread, never for the batch: 2 T^2 floats instead of 2 B H T^2. The query already carries 1 / sqrt(d).
// T counts keys: more than queries where trained vectors stand in front of them.
#pragma once

#include <cstdint>
#include <vector>

#include "gemm.h"
#include "../rows.h"

namespace lacuna {

// Query, key or value of one head: row t at data + t * stride, d values.
struct HeadRows {
  float* data;
  int64_t stride;
};

// Buffers of one thread, grown to the largest head it has seen.
struct AttentionScratch {
  std::vector<float> scores, gradient, packed, loaded;
};

inline float* atLeast(std::vector<float>& buffer, int64_t size) {
  if (static_cast<int64_t>(buffer.size()) < size) buffer.resize(size);
  return buffer.data();
}

inline void packRows(HeadRows b, int64_t depth, int64_t width, float* packed) {
  for (int64_t panel = 0; panel * tile().columns < width; panel++) packPanel(b.data, b.stride, depth, width, panel, packed);
}
inline void packRowsTransposed(HeadRows b, int64_t depth, int64_t width, float* packed) {
  for (int64_t panel = 0; panel * tile().columns < width; panel++) packPanelTransposed(b.data, b.stride, depth, width, panel, packed);
}

// Probabilities [queries, T] of the first `queries` rows; keyBias [T] or null.
inline float* attentionProbabilities(HeadRows q, HeadRows k, const float* keyBias, int64_t queries, int64_t T, int64_t d, AttentionScratch& scratch) {
  float* packed = atLeast(scratch.packed, std::max(packedSize(d, T), packedSize(std::max(T, queries), d)));
  float* p = atLeast(scratch.scores, queries * T);
  packRowsTransposed(k, d, T, packed);
  multiply({q.data, q.stride, 1}, packed, queries, d, T, p, T, false);
  softmaxRows(p, keyBias, queries, p, 0, queries, T);
  return p;
}

// context [queries, d] = softmax(q k^T + keyBias) v.
inline void attend(HeadRows q, HeadRows k, HeadRows v, const float* keyBias, int64_t queries, int64_t T, int64_t d, HeadRows context, AttentionScratch& scratch) {
  const float* p = attentionProbabilities(q, k, keyBias, queries, T, d, scratch);
  packRows(v, T, d, scratch.packed.data());
  multiply({p, T, 1}, scratch.packed.data(), queries, T, d, context.data, context.stride, false);
}

// From dL/dcontext [queries, d]: dq [queries, d], dk and dv [T, d]; and the context again where somebody reads it.
inline void attendGradient(HeadRows q, HeadRows k, HeadRows v, const float* keyBias, int64_t queries, int64_t T, int64_t d, HeadRows dContext,
                           HeadRows dq, HeadRows dk, HeadRows dv, HeadRows context, AttentionScratch& scratch) {
  const float* p = attentionProbabilities(q, k, keyBias, queries, T, d, scratch);
  float* packed = scratch.packed.data();
  if (context.data) {
    packRows(v, T, d, packed);
    multiply({p, T, 1}, packed, queries, T, d, context.data, context.stride, false);
  }
  packRows(dContext, queries, d, packed);
  multiply({p, 1, T}, packed, T, queries, d, dv.data, dv.stride, false);
  float* ds = atLeast(scratch.gradient, queries * T);
  packRowsTransposed(v, d, T, packed);
  multiply({dContext.data, dContext.stride, 1}, packed, queries, d, T, ds, T, false);
  softmaxGradientRows(ds, p, ds, queries, T);
  packRows(k, T, d, packed);
  multiply({ds, T, 1}, packed, queries, T, d, dq.data, dq.stride, false);
  packRows(q, queries, d, packed);
  multiply({ds, 1, T}, packed, T, queries, d, dk.data, dk.stride, false);
}

}  // namespace lacuna
