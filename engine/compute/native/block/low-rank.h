// Low-rank updates beside a block's linear maps (Hu et al. 2021, arXiv:2106.09685, eq. 3): their own inputs z = x down, and their gradients.
// With several sets each row sees only its set's share of the rank: the rest of its z is zero, so that one product serves a mixed batch.
#pragma once

#include "block.h"

namespace lacuna {

// Where the gradients of one update go; null when nobody asks.
struct LowRankGradients {
  float *down = nullptr, *up = nullptr;

  explicit operator bool() const { return down != nullptr; }
};

// Zeroes what belongs to other sets in columns [from, from + columns) of z [rows, rank].
inline void maskSets(float* z, int64_t rank, const int32_t* sets, int64_t setCount, int64_t row, int64_t rows, int64_t from, int64_t columns) {
  if (sets == nullptr) return;
  const int64_t share = rank / setCount;
  for (int64_t r = row; r < row + rows; r++) {
    for (int64_t j = from; j < from + columns; j++) if (j / share != sets[r]) z[r * rank + j] = 0.0f;
  }
}

// z [rows, rank] = a [rows, depth] x b, of each row only its set's share.
inline void lowRankProduct(const float* a, int64_t lda, RightOperand b, int64_t rows, int64_t depth, int64_t rank, const int32_t* sets, int64_t setCount,
                           float* z, float* packed) {
  linear(a, lda, b, rows, depth, rank, z, rank, packed, [&](int64_t row, int64_t count, int64_t column, int64_t columns) {
    maskSets(z, rank, sets, setCount, row, count, column, columns);
  });
}

// out [inputs, outputs] = x^T dy over `rows` rows; each element is summed by one thread.
inline void matrixGradient(const float* x, int64_t ldx, const float* dy, int64_t ldy, int64_t rows, int64_t inputs, int64_t outputs, float* out, int64_t ldo,
                           float* packed) {
  const int64_t step = 4 * tile().rows, pieces = (inputs + step - 1) / step;
  for (int64_t from = 0; from < outputs; from += kColumnsAtOnce) {
    const int64_t columns = std::min(kColumnsAtOnce, outputs - from), panels = (columns + tile().columns - 1) / tile().columns;
    RightOperand{dy, ldy, false}.pack(0, rows, from, columns, packed);
    pool().each(pieces * panels, [&](int64_t i) {
      const int64_t first = i / panels * step, column = i % panels * tile().columns;
      multiply({x + first, 1, ldx}, packed + column * rows, std::min(step, inputs - first), rows, std::min(tile().columns, columns - column),
               out + first * ldo + from + column, ldo, false);
    });
  }
}

// Working memory of the updates of a block.
struct LowRankMemory {
  float *outer = nullptr, *inner = nullptr;          // z or dz of two maps at a time, [M, rank]
  float *outerBack = nullptr, *innerBack = nullptr;  // the same of the way back
  float* packed[4] = {};                             // matrices of small depth or width
  float* inputs = nullptr;                           // a map's input again, [M, D]
  float *activated = nullptr, *hidden = nullptr;     // columns of the hidden layer and of its gradient, [M, columns at once]
  float* packedRows = nullptr;                       // a right operand of M rows

  static int64_t largestRank(const BlockWeights& w) {
    int64_t rank = 0;
    for (const LowRank& low : w.low) rank = std::max(rank, low.rank);
    return rank;
  }
  static int64_t packedFloats(const BlockShape& s, int64_t rank) {
    return std::max(packedSize(std::max(3 * s.width, kColumnsAtOnce), rank), packedSize(rank, std::max(s.width, kColumnsAtOnce)));
  }
  static int64_t rowFloats(const BlockShape& s, int64_t rank) { return packedSize(s.rows(), std::min(kColumnsAtOnce, std::max({3 * s.width, s.feedForward, rank}))); }
  static int64_t chunkFloats(const BlockShape& s) { return s.rows() * (std::min(kColumnsAtOnce, s.feedForward) + kRowPadding); }
  static int64_t size(const BlockWeights& w, const BlockShape& s, bool isBackward) {
    const int64_t rank = largestRank(w);
    if (rank == 0) return 0;
    const int64_t forward = 2 * s.rows() * rank + 4 * packedFloats(s, rank) + 6 * 16;
    return forward + (isBackward ? 2 * s.rows() * rank + s.rows() * (s.width + kRowPadding) + 2 * chunkFloats(s) + rowFloats(s, rank) + 6 * 16 : 0);
  }
  static LowRankMemory take(const BlockWeights& w, const BlockShape& s, Workspace& memory, bool isBackward) {
    LowRankMemory m;
    const int64_t rank = largestRank(w);
    if (rank == 0) return m;
    m.outer = memory.take(s.rows() * rank);
    m.inner = memory.take(s.rows() * rank);
    for (float*& packed : m.packed) packed = memory.take(packedFloats(s, rank));
    if (!isBackward) return m;
    m.outerBack = memory.take(s.rows() * rank);
    m.innerBack = memory.take(s.rows() * rank);
    m.inputs = memory.take(s.rows() * (s.width + kRowPadding));
    m.activated = memory.take(chunkFloats(s));
    m.hidden = memory.take(chunkFloats(s));
    m.packedRows = memory.take(rowFloats(s, rank));
    return m;
  }
};

}  // namespace lacuna
