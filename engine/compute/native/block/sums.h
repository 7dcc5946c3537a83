// Gradients of a block's vectors (biases, gains and offsets of norms, factors): sums over rows of gradients that the backward pass forms
// anyway, apart for each set. Each column is summed in the order of its rows by one thread, so that the same input gives the same numbers.
#pragma once

#include "block.h"

namespace lacuna {

// Where they go: rows of `stride` floats, one for each set, each with all vectors in the order of the block's weights; empty when nobody asks.
struct VectorGradients {
  float *qkvBias = nullptr, *outputBias, *norm1Gamma, *norm1Beta, *expandBias, *contractBias, *norm2Gamma, *norm2Beta;

  explicit operator bool() const { return qkvBias != nullptr; }
  static int64_t size(const BlockShape& s) { return s.sets * width(s); }
  static int64_t width(const BlockShape& s) { return 9 * s.width + s.feedForward; }
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

// Which rows and columns are summed, and where each set's sums begin.
struct SumOver {
  int64_t rows, width;
  const int32_t* setOf;  // of each row; null where there is one set
  int64_t sets, stride;
};

// sums[j] = sum of a[i, j] over the rows of a set; with `other` also weighted[j] = sum of a[i, j] * other[i, j].
inline void sumColumns(const float* a, int64_t lda, const SumOver& over, float* sums, const Kept* other = nullptr, float* weighted = nullptr, int64_t weightedStride = 0) {
  pool().each((over.width + kSumColumns - 1) / kSumColumns, [&](int64_t piece) {
    const int64_t from = piece * kSumColumns, columns = std::min(kSumColumns, over.width - from);
    float values[kSumColumns];
    for (int64_t set = 0; set < over.sets; set++) {
      float total[kSumColumns] = {}, product[kSumColumns] = {};
      for (int64_t i = 0; i < over.rows; i++) {
        if (over.setOf && over.setOf[i] != set) continue;
        const float* row = a + i * lda + from;
        for (int64_t j = 0; j < columns; j++) total[j] += row[j];
        if (other == nullptr) continue;
        other->load(i, from, values, columns);
        for (int64_t j = 0; j < columns; j++) product[j] += row[j] * values[j];
      }
      std::memcpy(sums + set * over.stride + from, total, columns * sizeof(float));
      if (other != nullptr) std::memcpy(weighted + set * weightedStride + from, product, columns * sizeof(float));
    }
  });
}

// Adds up the sums [tasks, sets, width] of tasks, in their order.
inline void sumTasks(const float* partial, int64_t tasks, int64_t sets, int64_t width, float* sums, int64_t stride) {
  for (int64_t set = 0; set < sets; set++) sumColumns(partial + set * width, sets * width, {tasks, width, nullptr, 1, width}, sums + set * stride);
}

}  // namespace lacuna
