// Single-precision matrix products for the block kernels, after Goto and van de Geijn 2008 (ACM TOMS 34(3)): one operand is packed into
// panels as wide as a register tile, the other is read in place. Products are steps of a longer chain over the same few rows, which stay in
// the processor's cache in between; a library call for each product would write them to memory every time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace lacuna {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LACUNA_X86 1
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define LANES 16
#define TILE_ROWS 14
#define KERNEL_NAME tile512
#include "gemm-kernel.inc"
#undef LANES
#undef TILE_ROWS
#undef KERNEL_NAME
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define LANES 8
#define TILE_ROWS 6
#define KERNEL_NAME tile256
#include "gemm-kernel.inc"
#undef LANES
#undef TILE_ROWS
#undef KERNEL_NAME
#pragma GCC pop_options
#endif
#define LANES 4
#define TILE_ROWS 4
#define KERNEL_NAME tile128
#include "gemm-kernel.inc"
#undef LANES
#undef TILE_ROWS
#undef KERNEL_NAME

typedef void (*TileFunction)(int64_t, const float*, int64_t, int64_t, const float*, float*, int64_t, bool, int64_t, int64_t);

// The widest tile that this processor runs.
struct Tile {
  TileFunction multiply;
  int64_t rows, columns;
};

inline const Tile& tile() {
  static const Tile chosen = [] {
#ifdef LACUNA_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
      return Tile{tile512, 14, 32};
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Tile{tile256, 6, 16};
#endif
    return Tile{tile128, 4, 8};
  }();
  return chosen;
}

inline int64_t roundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// Floats that a packed operand of this depth and width takes.
inline int64_t packedSize(int64_t depth, int64_t width) { return depth * roundUp(width, tile().columns); }

// Packs panel `panel` of B [depth, width], B[k][j] = source[k * ld + j]; columns beyond the width are zero.
inline void packPanel(const float* source, int64_t ld, int64_t depth, int64_t width, int64_t panel, float* packed) {
  const int64_t n = tile().columns, from = panel * n, count = std::min(n, width - from);
  float* target = packed + panel * n * depth;
  for (int64_t k = 0; k < depth; k++, target += n) {
    std::memcpy(target, source + k * ld + from, count * sizeof(float));
    for (int64_t j = count; j < n; j++) target[j] = 0.0f;
  }
}

// 4 x 4 floats: target[i * targetStride + j] = source[j * ld + i].
inline void transpose4(const float* source, int64_t ld, float* target, int64_t targetStride) {
  typedef float Four __attribute__((vector_size(16), aligned(4)));
  typedef int Index __attribute__((vector_size(16)));
  const Four a = *reinterpret_cast<const Four*>(source), b = *reinterpret_cast<const Four*>(source + ld);
  const Four c = *reinterpret_cast<const Four*>(source + 2 * ld), d = *reinterpret_cast<const Four*>(source + 3 * ld);
  const Four ab0 = __builtin_shuffle(a, b, Index{0, 4, 1, 5}), ab1 = __builtin_shuffle(a, b, Index{2, 6, 3, 7});
  const Four cd0 = __builtin_shuffle(c, d, Index{0, 4, 1, 5}), cd1 = __builtin_shuffle(c, d, Index{2, 6, 3, 7});
  *reinterpret_cast<Four*>(target) = __builtin_shuffle(ab0, cd0, Index{0, 1, 4, 5});
  *reinterpret_cast<Four*>(target + targetStride) = __builtin_shuffle(ab0, cd0, Index{2, 3, 6, 7});
  *reinterpret_cast<Four*>(target + 2 * targetStride) = __builtin_shuffle(ab1, cd1, Index{0, 1, 4, 5});
  *reinterpret_cast<Four*>(target + 3 * targetStride) = __builtin_shuffle(ab1, cd1, Index{2, 3, 6, 7});
}

// Packs panel `panel` of B [depth, width] that lies transposed: B[k][j] = source[j * ld + k].
inline void packPanelTransposed(const float* source, int64_t ld, int64_t depth, int64_t width, int64_t panel, float* packed) {
  const int64_t n = tile().columns, from = panel * n, count = std::min(n, width - from), whole = count / 4 * 4;
  float* target = packed + panel * n * depth;
  const float* rows = source + from * ld;
  const int64_t fullDepth = depth / 4 * 4;
  // Sixteen values of k at a time: one cache line of every row.
  for (int64_t start = 0; start < fullDepth; start += 16) {
    const int64_t end = std::min(start + 16, fullDepth);
    for (int64_t j = 0; j < whole; j += 4) {
      for (int64_t k = start; k < end; k += 4) transpose4(rows + j * ld + k, ld, target + k * n + j, n);
    }
  }
  for (int64_t k = fullDepth; k < depth; k++) for (int64_t j = 0; j < whole; j++) target[k * n + j] = rows[j * ld + k];
  if (whole == n) return;
  for (int64_t k = 0; k < depth; k++) {
    for (int64_t j = whole; j < count; j++) target[k * n + j] = rows[j * ld + k];
    for (int64_t j = count; j < n; j++) target[k * n + j] = 0.0f;
  }
}

// A matrix that is read in place: element (i, k) at data[i * rowStride + k * depthStride].
struct Operand {
  const float* data;
  int64_t rowStride, depthStride;
};

// c [rows, width] (+)= a [rows, depth] x packed [depth, width].
inline void multiply(Operand a, const float* packed, int64_t rows, int64_t depth, int64_t width, float* c, int64_t ldc, bool add) {
  const Tile& t = tile();
  for (int64_t j = 0; j < width; j += t.columns) {
    for (int64_t i = 0; i < rows; i += t.rows) {
      t.multiply(depth, a.data + i * a.rowStride, a.rowStride, a.depthStride, packed + j * depth, c + i * ldc + j, ldc, add,
                 std::min(t.rows, rows - i), std::min(t.columns, width - j));
    }
  }
}

}  // namespace lacuna
