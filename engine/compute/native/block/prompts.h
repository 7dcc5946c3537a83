// Trained keys and values in front of a sample's own (Lee et al. 2023, arXiv:2303.03369, section 3.3); they are never masked.
#pragma once

#include "block.h"

namespace lacuna {

class Prompts {
 public:
  Prompts(const BlockWeights& w, const BlockShape& s) : w_(w), s_(s) {
    if (!w.prompts || !s.keyBias) return;
    for (int64_t b = 0; b < s.samples; b++) {
      bias_.insert(bias_.end(), w.promptCount, 0.0f);
      bias_.insert(bias_.end(), s.keyBias + s.offsets[b], s.keyBias + s.offsets[b + 1]);
    }
  }
  // Of a sample's keys, prompts included; null where none is masked.
  const float* keyBias(int64_t sample) const {
    if (!s_.keyBias) return nullptr;
    return w_.prompts ? bias_.data() + s_.offsets[sample] + sample * w_.promptCount : s_.keyBias + s_.offsets[sample];
  }
  // The prompts of one head (side 0 keys, 1 values) with its T own rows behind them, in `joined` [promptCount + T, d].
  HeadRows join(int64_t sample, int64_t head, int64_t side, HeadRows own, int64_t T, float* joined) const {
    const int64_t d = s_.width / s_.heads;
    copyFront(sample, head, side, joined);
    for (int64_t t = 0; t < T; t++) std::memcpy(joined + (w_.promptCount + t) * d, own.data + t * own.stride, d * sizeof(float));
    return {joined, d};
  }
  // The prompts alone, [promptCount, d].
  void copyFront(int64_t sample, int64_t head, int64_t side, float* front) const {
    const int64_t d = s_.width / s_.heads;
    for (int64_t t = 0; t < w_.promptCount; t++) std::memcpy(front + t * d, w_.prompts + offset(sample, side, t) + head * d, d * sizeof(float));
  }
  // Where the values of one prompt of a sample begin in [samples, 2, promptCount, D].
  int64_t offset(int64_t sample, int64_t side, int64_t prompt) const { return ((2 * sample + side) * w_.promptCount + prompt) * s_.width; }

 private:
  const BlockWeights& w_;
  const BlockShape& s_;
  std::vector<float> bias_;
};

}  // namespace lacuna
