// What the forward and the backward pass of a frozen transformer block share: its weights, its shape, what it keeps, and working memory.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "attention.h"
#include "half.h"
#include "../pool.h"

namespace lacuna {

// The linear maps of a block, in the order in which the operations take what trained parts bring to them.
enum Site { kQkv = 0, kOutput = 1, kExpand = 2, kContract = 3, kSites = 4 };

// A low-rank update beside a linear map: the product gets x down up on top. down [in, rank], up [rank, out]; every set of trained parts
// has its own share of the rank, one after the other.
struct LowRank {
  const float *down = nullptr, *up = nullptr;
  int64_t rank = 0;

  explicit operator bool() const { return rank > 0; }
};

// Linear weights are [in, out]; the query part is already divided by sqrt(d). Vectors are [sets, width]: samples may differ in which they use.
struct BlockWeights {
  const float *qkvWeight, *qkvBias, *outputWeight, *outputBias, *norm1Gamma, *norm1Beta, *expandWeight, *expandBias, *contractWeight, *contractBias,
      *norm2Gamma, *norm2Beta;
  // Factors on the four products before their biases, [sets, 5D + F]; or null.
  const float* factors = nullptr;
  LowRank low[kSites];
  // Trained keys and values in front of each sample's own, [samples, 2, prompts, D]; or null.
  const float* prompts = nullptr;
  int64_t promptCount = 0;
};

struct BlockShape {
  int64_t samples, heads, width, feedForward;
  // Sample b has rows offsets[b] to offsets[b + 1]: samples of different length lie one after the other, without padding.
  std::vector<int64_t> offsets;
  const float* keyBias;  // one number for each row, added to its scores as a key; or null
  bool preNorm, firstOnly;  // firstOnly: the output is wanted for the first row of each sample alone
  float epsilon;
  // Which set of vectors, factors and low-rank updates each row uses; both lists are empty where there is one set.
  int64_t sets = 1;
  std::vector<int32_t> setOfSample, setOfRow;
  // What the way back reads beside the rest: the products that factors act on, the hidden layer itself, the block's input.
  bool keepsProducts = false, keepsHidden = false, keepsInput = false;

  const int32_t* inputSets() const { return sets == 1 ? nullptr : setOfRow.data(); }
  const int32_t* outputSets() const { return sets == 1 ? nullptr : firstOnly ? setOfSample.data() : setOfRow.data(); }
  int64_t inputSet(int64_t row) const { return sets == 1 ? 0 : setOfRow[row]; }
  int64_t outputSet(int64_t row) const { return sets == 1 ? 0 : outputSets()[row]; }
  int64_t factorWidth() const { return 5 * width + feedForward; }
  // Where a linear map's factors begin.
  int64_t factorOffset(Site site) const { return site == kQkv ? 0 : site == kOutput ? 3 * width : site == kExpand ? 4 * width : 4 * width + feedForward; }
  int64_t rows() const { return offsets.back(); }
  int64_t outputRows() const { return firstOnly ? samples : rows(); }
  // The input row behind an output row.
  int64_t inputRow(int64_t row) const { return firstOnly ? offsets[row] : row; }
  int64_t longest() const {
    int64_t longest = 0;
    for (int64_t b = 0; b < samples; b++) longest = std::max(longest, offsets[b + 1] - offsets[b]);
    return longest;
  }
};

// How much a block keeps between its passes, as the operations' attribute `keep` says it. Input: in half precision the block's input alone
// (and the second norm of a post-LN block, which would need the whole block again); the rest is computed again on the way back.
enum Keep : int64_t { kNothing = 0, kHalf = 1, kFull = 2, kInput = 3 };

// What the backward pass needs, in one run of bytes: both normed rows, query/key/value, the slope of GELU, both inverse deviations.
struct KeptBlock {
  Kept input, normed1, qkv, normed2, slope;
  // With trained parts inside: the products before factors and biases (qkv then too), the hidden layer in place of its slope, the input.
  Kept output, hidden, contract, x;
  float *inverse1 = nullptr, *inverse2 = nullptr;
  int64_t size = 0;

  static KeptBlock at(uint8_t* bytes, const BlockShape& s, int64_t keep) {
    KeptBlock kept;
    if (keep == kNothing) return kept;
    const bool isHalf = keep != kFull;
    const int64_t element = isHalf ? 2 : 4, M = s.rows(), Q = s.outputRows();
    auto take = [&](int64_t length) {
      const int64_t offset = kept.size;
      kept.size = roundUp(offset + length, 64);
      return bytes + offset;
    };
    auto matrix = [&](int64_t rows, int64_t width) { return Kept{take(rows * width * element), width, isHalf}; };
    if (keep == kInput) {
      kept.input = matrix(M, s.width);
      if (s.preNorm) return kept;
      kept.normed2 = matrix(Q, s.width);
      kept.inverse2 = reinterpret_cast<float*>(take(Q * 4));
      return kept;
    }
    // The first norm of a post-LN block comes after attention, so it has the output's rows.
    kept.normed1 = matrix(s.preNorm ? M : Q, s.width);
    kept.qkv = matrix(M, 3 * s.width);
    kept.normed2 = matrix(Q, s.width);
    (s.keepsHidden ? kept.hidden : kept.slope) = matrix(Q, s.feedForward);
    if (s.keepsProducts) {
      kept.output = matrix(Q, s.width);
      kept.contract = matrix(Q, s.width);
    }
    if (s.keepsInput) kept.x = matrix(M, s.width);
    kept.inverse1 = reinterpret_cast<float*>(take((s.preNorm ? M : Q) * 4));
    kept.inverse2 = reinterpret_cast<float*>(take(Q * 4));
    return kept;
  }
};

// Working memory of the passes, kept from call to call because fresh pages cost as much as the arithmetic; one call at a time uses it.
class Workspace {
 public:
  static Workspace& instance() {
    static Workspace* workspace = new Workspace();
    return *workspace;
  }
  std::mutex mutex;
  // Starts an operation: everything taken before is free again.
  void begin(int64_t floats) {
    used_ = 0;
    if (static_cast<int64_t>(memory_.size()) < floats) {
      std::vector<float>().swap(memory_);
      memory_.resize(floats);
    }
  }
  // Throws where a pass takes more than it asked for: better no number than one read from somebody else's memory.
  float* take(int64_t floats) {
    if (used_ + floats > static_cast<int64_t>(memory_.size())) throw std::length_error("workspace");
    float* place = memory_.data() + used_;
    used_ += roundUp(floats, 16);
    return place;
  }
  // For passes that follow each other in one operation: what was taken since `mark` is free again.
  int64_t mark() const { return used_; }
  void backTo(int64_t mark) { used_ = mark; }
  void release() { std::vector<float>().swap(memory_); }

 private:
  std::vector<float> memory_;
  int64_t used_ = 0;
};

// Rows of a pass that one thread works through together: few enough for its cache, in equal shares for all threads.
inline int64_t rowsAtOnce(int64_t rows) {
  const int64_t threads = pool().threads(), most = 8 * tile().rows;
  const int64_t rounds = std::max<int64_t>(1, (rows + threads * most - 1) / (threads * most));
  return std::max(tile().rows, std::min(most, roundUp((rows + threads * rounds - 1) / (threads * rounds), tile().rows)));
}

inline void forRows(int64_t rows, const std::function<void(int64_t from, int64_t count)>& body) {
  const int64_t step = rowsAtOnce(rows);
  pool().each((rows + step - 1) / step, [&](int64_t i) { body(i * step, std::min(step, rows - i * step)); });
}

// Columns of a weight matrix that are packed and used at once: what both threads share stays in the last-level cache.
constexpr int64_t kColumnsAtOnce = 768;
// Rows of working matrices are this much longer than their width, so that rows of a power of two do not fall into the same cache lines.
constexpr int64_t kRowPadding = 16;

// A frozen matrix or its transpose as the right operand: element (k, j) at data[k * ld + j], or data[j * ld + k] when transposed.
struct RightOperand {
  const float* data;
  int64_t ld;
  bool isTransposed;

  // Packs columns [from, from + width) and rows [fromRow, fromRow + depth), all threads together.
  void pack(int64_t fromRow, int64_t depth, int64_t from, int64_t width, float* packed) const {
    const int64_t panels = (width + tile().columns - 1) / tile().columns;
    pool().each(panels, [&](int64_t panel) {
      if (isTransposed) packPanelTransposed(data + from * ld + fromRow, ld, depth, width, panel, packed);
      else packPanel(data + fromRow * ld + from, ld, depth, width, panel, packed);
    });
  }
};

// A second product of small depth on top of a first one.
struct Beside {
  const float* left = nullptr;  // [rows, depth]
  int64_t depth = 0;
  RightOperand right{};
  float* packed = nullptr;
};

// out [rows, width] = a [rows, depth] x b (+ beside); `finish(row, rows, column, columns)` runs over each piece while it is in the cache.
inline void linear(const float* a, int64_t lda, RightOperand b, int64_t rows, int64_t depth, int64_t width, float* out, int64_t ldo, float* packed,
                   const std::function<void(int64_t, int64_t, int64_t, int64_t)>& finish, const Beside& beside = {}) {
  for (int64_t from = 0; from < width; from += kColumnsAtOnce) {
    const int64_t columns = std::min(kColumnsAtOnce, width - from);
    b.pack(0, depth, from, columns, packed);
    if (beside.left) beside.right.pack(0, beside.depth, from, columns, beside.packed);
    forRows(rows, [&](int64_t row, int64_t count) {
      multiply({a + row * lda, lda, 1}, packed, count, depth, columns, out + row * ldo + from, ldo, false);
      if (beside.left) multiply({beside.left + row * beside.depth, beside.depth, 1}, beside.packed, count, beside.depth, columns, out + row * ldo + from, ldo, true);
      if (finish) finish(row, count, from, columns);
    });
  }
}

inline AttentionScratch& threadScratch() {
  thread_local AttentionScratch scratch;
  return scratch;
}

// Calls body(sample, head) for every head; long samples first would only matter with many threads.
inline void forHeads(const BlockShape& s, const std::function<void(int64_t sample, int64_t head)>& body) {
  pool().each(s.samples * s.heads, [&](int64_t i) { body(i / s.heads, i % s.heads); });
}

}  // namespace lacuna
