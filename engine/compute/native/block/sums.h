// Gradients of a block's vectors (biases, gains and offsets of norms): sums over rows of gradients that the backward pass forms anyway.
// Each column is summed in the order of its rows by one thread, so that the same input gives the same numbers.
#pragma once

#include "block.h"

namespace lacuna {

// Where they go, all in one run of floats in the order of the block's weights; empty when nobody asks.
struct VectorGradients {
  float *qkvBias = nullptr, *outputBias, *norm1Gamma, *norm1Beta, *expandBias, *contractBias, *norm2Gamma, *norm2Beta;

  explicit operator bool() const { return qkvBias != nullptr; }
  static int64_t size(const BlockShape& s) { return 9 * s.width + s.feedForward; }
  static VectorGradients at(float* first, const BlockShape& s) {
    VectorGradients g;
    const int64_t D = s.width;
    auto take = [&](int64_t length) {
      float* place = first;
      first += length;
      return place;
    };
    g.qkvBias = take(3 * D);
    g.outputBias = take(D);
    g.norm1Gamma = take(D);
    g.norm1Beta = take(D);
    g.expandBias = take(s.feedForward);
    g.contractBias = take(D);
    g.norm2Gamma = take(D);
    g.norm2Beta = take(D);
    return g;
  }
};

constexpr int64_t kSumColumns = 64;

// sums[j] = sum of a[i, j] over the rows; with `normed` also weighted[j] = sum of a[i, j] * normed[i, j].
inline void sumColumns(const float* a, int64_t lda, int64_t rows, int64_t width, float* sums, const Kept* normed = nullptr, float* weighted = nullptr) {
  pool().each((width + kSumColumns - 1) / kSumColumns, [&](int64_t piece) {
    const int64_t from = piece * kSumColumns, columns = std::min(kSumColumns, width - from);
    float total[kSumColumns] = {}, product[kSumColumns] = {}, values[kSumColumns];
    for (int64_t i = 0; i < rows; i++) {
      const float* row = a + i * lda + from;
      for (int64_t j = 0; j < columns; j++) total[j] += row[j];
      if (normed == nullptr) continue;
      normed->load(i, from, values, columns);
      for (int64_t j = 0; j < columns; j++) product[j] += row[j] * values[j];
    }
    std::memcpy(sums + from, total, columns * sizeof(float));
    if (normed != nullptr) std::memcpy(weighted + from, product, columns * sizeof(float));
  });
}

}  // namespace lacuna
