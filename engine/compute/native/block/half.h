// Values kept between the two passes, as 32-bit floats or as IEEE half precision. Half precision keeps 11 significant bits; what is larger
// than 65504 becomes 65504 (kept values are normed rows, queries, keys, values and slopes, all far below).
#pragma once

#include <cstdint>
#include <cstring>

#include "../rows.h"

namespace lacuna {

INLINE uint16_t toHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  bits &= 0x7fffffffu;
  bits = bits > 0x477fe000u ? 0x477fe000u : bits;
  float magnitude;
  std::memcpy(&magnitude, &bits, 4);
  // Adding 1/2 leaves a subnormal half in the last bits of the sum, rounded as it should be.
  const float shifted = magnitude + 0.5f;
  uint32_t small;
  std::memcpy(&small, &shifted, 4);
  small -= 0x3f000000u;
  const uint32_t normal = (bits + 0xc8000fffu + ((bits >> 13) & 1u)) >> 13;
  return static_cast<uint16_t>(sign | (bits < 0x38800000u ? small : normal));
}

INLINE float fromHalf(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half & 0x7fffu) << 13;
  float magnitude;
  std::memcpy(&magnitude, &bits, 4);
  magnitude *= 5.192296858534828e33f;  // 2^112: moves the exponent's bias, subnormal or not
  uint32_t result;
  std::memcpy(&result, &magnitude, 4);
  result |= static_cast<uint32_t>(half & 0x8000u) << 16;
  float value;
  std::memcpy(&value, &result, 4);
  return value;
}

MULTIVERSION void packHalves(const float* values, uint16_t* halves, int64_t count) {
  for (int64_t i = 0; i < count; i++) halves[i] = toHalf(values[i]);
}

MULTIVERSION void unpackHalves(const uint16_t* halves, float* values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = fromHalf(halves[i]);
}

// A matrix [rows, width] of kept values at some place of a block's kept bytes.
struct Kept {
  uint8_t* bytes = nullptr;
  int64_t width = 0;
  bool isHalf = false;

  explicit operator bool() const { return bytes != nullptr; }
  void store(int64_t row, int64_t column, const float* values, int64_t count) const {
    const int64_t at = row * width + column;
    if (isHalf) packHalves(values, reinterpret_cast<uint16_t*>(bytes) + at, count);
    else std::memcpy(reinterpret_cast<float*>(bytes) + at, values, count * sizeof(float));
  }
  void load(int64_t row, int64_t column, float* values, int64_t count) const {
    const int64_t at = row * width + column;
    if (isHalf) unpackHalves(reinterpret_cast<const uint16_t*>(bytes) + at, values, count);
    else std::memcpy(values, reinterpret_cast<const float*>(bytes) + at, count * sizeof(float));
  }
};

}  // namespace lacuna
