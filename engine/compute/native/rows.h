// Loops over rows of a matrix: activations, layer norm, softmax, AdamW. Each is compiled for several processors.
// The error function is Abramowitz and Stegun 7.1.26 in its erfc form: absolute error below 1.5e-7, and relative accuracy in the left tail.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// One copy of each loop for AVX-512, AVX2 and any other processor; the loader picks.
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif
#define INLINE inline __attribute__((always_inline))

namespace lacuna {

// e^x for x <= 0 within 2 ulp (Cephes expf); flushes to 0 below -87.
INLINE float expNegative(float x) {
  x = std::max(x, -87.0f);
  float n = std::floor(x * 1.44269504088896341f + 0.5f);
  x -= n * 0.693359375f;
  x -= n * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * x + 1.3981999507e-3f;
  y = y * x + 8.3334519073e-3f;
  y = y * x + 4.1665795894e-2f;
  y = y * x + 1.6666665459e-1f;
  y = y * x + 5.0000001201e-1f;
  y = y * x * x + x + 1.0f;
  int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  return y * power;
}

// Phi(x) from e = exp(-x^2 / 2).
INLINE float normalCdf(float x, float e) {
  float u = std::fabs(x) * 0.70710678118654752f;
  float t = 1.0f / (1.0f + 0.3275911f * u);
  float tail = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f)))) * e * 0.5f;
  return x >= 0.0f ? 1.0f - tail : tail;
}

MULTIVERSION void geluRows(const float* x, const float* bias, float* y, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    const float* in = x + r * width;
    float* out = y + r * width;
    for (int64_t i = 0; i < width; i++) {
      float v = in[i] + (bias ? bias[i] : 0.0f);
      out[i] = v * normalCdf(v, expNegative(-0.5f * v * v));
    }
  }
}

MULTIVERSION void geluGradientRows(const float* dy, const float* x, const float* bias, float* dx, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t offset = r * width;
    for (int64_t i = 0; i < width; i++) {
      float v = x[offset + i] + (bias ? bias[i] : 0.0f);
      float e = expNegative(-0.5f * v * v);
      dx[offset + i] = dy[offset + i] * (normalCdf(v, e) + v * e * 0.39894228040143268f);
    }
  }
}

INLINE void statistics(const float* x, int64_t width, float epsilon, float* mean, float* inverse) {
  float sum = 0.0f;
  for (int64_t i = 0; i < width; i++) sum += x[i];
  *mean = sum / width;
  float squares = 0.0f;
  for (int64_t i = 0; i < width; i++) squares += (x[i] - *mean) * (x[i] - *mean);
  *inverse = 1.0f / std::sqrt(squares / width + epsilon);
}

MULTIVERSION void layerNormRows(const float* x, const float* gamma, const float* beta, float epsilon, float* y, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    const float* in = x + r * width;
    float* out = y + r * width;
    float mean, inverse;
    statistics(in, width, epsilon, &mean, &inverse);
    for (int64_t i = 0; i < width; i++) out[i] = (in[i] - mean) * inverse * gamma[i] + beta[i];
  }
}

// dx = residual + gradient; residual may be null.
MULTIVERSION void layerNormGradientRows(const float* dy, const float* x, const float* gamma, const float* residual, float epsilon, float* dx,
                                        int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    const float* in = x + r * width;
    const float* d = dy + r * width;
    float* out = dx + r * width;
    float mean, inverse, sum = 0.0f, dot = 0.0f;
    statistics(in, width, epsilon, &mean, &inverse);
    for (int64_t i = 0; i < width; i++) {
      float g = d[i] * gamma[i];
      sum += g;
      dot += g * (in[i] - mean);
    }
    float a = sum / width;
    float b = dot * inverse * inverse / width;
    for (int64_t i = 0; i < width; i++) {
      float value = (d[i] * gamma[i] - a - (in[i] - mean) * b) * inverse;
      out[i] = residual ? value + residual[r * width + i] : value;
    }
  }
}

// y = gelu(x + bias) and, when asked for, its slope at the same place; y may be x.
MULTIVERSION void geluWithSlope(const float* x, const float* bias, float* y, float* slope, int64_t width) {
  if (slope == nullptr) {
#pragma GCC ivdep
    for (int64_t i = 0; i < width; i++) {
      float v = x[i] + bias[i];
      y[i] = v * normalCdf(v, expNegative(-0.5f * v * v));
    }
    return;
  }
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) {
    float v = x[i] + bias[i];
    float e = expNegative(-0.5f * v * v);
    float cdf = normalCdf(v, e);
    y[i] = v * cdf;
    slope[i] = cdf + v * e * 0.39894228040143268f;
  }
}

// y = x times slope; y may be x.
MULTIVERSION void multiplyRow(const float* x, const float* slope, float* y, int64_t width) {
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) y[i] = x[i] * slope[i];
}

// y = x + a (+ b when given); y may be x.
MULTIVERSION void addRow(const float* x, const float* a, const float* b, float* y, int64_t width) {
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) y[i] = x[i] + a[i] + (b ? b[i] : 0.0f);
}

// total = total + x times y.
MULTIVERSION void addProductRow(float* total, const float* x, const float* y, int64_t width) {
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) total[i] += x[i] * y[i];
}

// Layer norm of one row: y, and where they are kept the normed row before gamma and beta, and 1 / deviation. y may be x.
MULTIVERSION void layerNormRow(const float* x, const float* gamma, const float* beta, float epsilon, float* y, float* normed, float* inverse, int64_t width) {
  float mean, scale;
  statistics(x, width, epsilon, &mean, &scale);
  if (inverse) *inverse = scale;
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) {
    float value = (x[i] - mean) * scale;
    if (normed) normed[i] = value;
    y[i] = value * gamma[i] + beta[i];
  }
}

// Gradient of layer norm from the kept normed row: dx = residual + inverse * (g - mean(g) - normed * mean(g * normed)), g = dy * gamma.
MULTIVERSION void layerNormGradientRow(const float* dy, const float* normed, float inverse, const float* gamma, const float* residual, float* dx, int64_t width) {
  float sum = 0.0f, dot = 0.0f;
  for (int64_t i = 0; i < width; i++) {
    float g = dy[i] * gamma[i];
    sum += g;
    dot += g * normed[i];
  }
  const float a = sum / width, b = dot / width;
#pragma GCC ivdep
  for (int64_t i = 0; i < width; i++) dx[i] = (dy[i] * gamma[i] - a - normed[i] * b) * inverse + (residual ? residual[i] : 0.0f);
}

// rows of `width` scores; row r belongs to sample r / rowsPerSample, whose key bias is added when present.
MULTIVERSION void softmaxRows(const float* x, const float* keyBias, int64_t rowsPerSample, float* y, int64_t begin, int64_t end, int64_t width) {
  for (int64_t r = begin; r < end; r++) {
    const float* in = x + r * width;
    const float* bias = keyBias ? keyBias + (r / rowsPerSample) * width : nullptr;
    float* out = y + r * width;  // may be `in` itself
    float largest = -3.0e38f;
#pragma GCC ivdep
    for (int64_t i = 0; i < width; i++) {
      out[i] = in[i] + (bias ? bias[i] : 0.0f);
      largest = std::max(largest, out[i]);
    }
    float sum = 0.0f;
    for (int64_t i = 0; i < width; i++) {
      // Below -80 the share is under 1e-34; a true 0 keeps masked keys out of gradients.
      float shifted = out[i] - largest;
      out[i] = shifted < -80.0f ? 0.0f : expNegative(shifted);
      sum += out[i];
    }
    float scale = 1.0f / sum;
    for (int64_t i = 0; i < width; i++) out[i] *= scale;
  }
}

MULTIVERSION void softmaxGradientRows(const float* dp, const float* p, float* ds, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    const int64_t offset = r * width;
    float dot = 0.0f;
    for (int64_t i = 0; i < width; i++) dot += dp[offset + i] * p[offset + i];
#pragma GCC ivdep  // ds may be dp
    for (int64_t i = 0; i < width; i++) ds[offset + i] = p[offset + i] * (dp[offset + i] - dot);
  }
}

MULTIVERSION void addBiasResidualRows(const float* x, const float* bias, const float* residual, float* y, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < width; i++) y[r * width + i] = x[r * width + i] + bias[i] + residual[r * width + i];
  }
}

MULTIVERSION void adamWValues(const float* p, const float* g, const float* m, const float* v, const float* s, float* pOut, float* mOut, float* vOut,
                              int64_t count) {
  // s: beta1, beta2, 1 - rate * decay, rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t), epsilon, 1 - beta1, 1 - beta2.
  // The last two come from double precision: 1 - 0.999f would be off by 1e-5 of itself.
  for (int64_t i = 0; i < count; i++) {
    float first = s[0] * m[i] + s[6] * g[i];
    float second = s[1] * v[i] + s[7] * g[i] * g[i];
    mOut[i] = first;
    vOut[i] = second;
    pOut[i] = p[i] * s[2] - s[3] * first / (std::sqrt(second) * s[4] + s[5]);
  }
}

}  // namespace lacuna
