// Fused processor kernels for the frozen transformer blocks, registered as TensorFlow operations.
//
// TensorFlow run eagerly makes one pass over memory for every elementary operation; GELU alone takes five. These kernels do each
// step of a block in one pass. Loaded as a Node addon after the TensorFlow binding; when it is absent the engine uses plain operations.
// The error function is Abramowitz and Stegun 7.1.26 in its erfc form: absolute error below 1.5e-7, and relative accuracy in the left tail.
#include <node_api.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"

// The part of tensorflow/c/ops.h and kernels.h in use; including those files would drag in headers that the set-up does not keep.
extern "C" {
struct TF_OpDefinitionBuilder;
struct TF_ShapeInferenceContext;
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name);
void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder*, const char* specification);
void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder*, const char* specification);
void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char* specification);
void TF_OpDefinitionBuilderSetShapeInferenceFunction(TF_OpDefinitionBuilder*, void (*infer)(TF_ShapeInferenceContext*, TF_Status*));
void TF_RegisterOpDefinition(TF_OpDefinitionBuilder*, TF_Status*);
void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext*, TF_Status*);
TF_KernelBuilder* TF_NewKernelBuilder(const char* operation, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder*, TF_Status*);
bool TF_OpKernelConstruction_HasAttr(TF_OpKernelConstruction*, const char* name, TF_Status*);
void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction*, const char* name, int64_t* value, TF_Status*);
void TF_OpKernelConstruction_GetAttrFloat(TF_OpKernelConstruction*, const char* name, float* value, TF_Status*);
void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction*, TF_Status*);
void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);
void TF_GetInput(TF_OpKernelContext*, int index, TF_Tensor** tensor, TF_Status*);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int index, TF_DataType type, const int64_t* dims, int dimCount, size_t bytes, TF_Status*);
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
// One copy of each loop for AVX-512, AVX2 and any other processor; the loader picks.
#define MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MULTIVERSION
#endif
#define INLINE inline __attribute__((always_inline))

namespace {

// A few waiting threads; TensorFlow's own pool is not reachable through its C interface.
class Pool {
 public:
  Pool() {
    unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 1; i < count; i++) std::thread([this] { work(); }).detach();
    workers_ = count - 1;
  }
  // Calls body(begin, end) over [0, rows) in pieces; small work stays on this thread.
  void run(int64_t rows, int64_t floatsPerRow, const std::function<void(int64_t, int64_t)>& body) {
    if (workers_ == 0 || rows * floatsPerRow < 32768) return body(0, rows);
    std::lock_guard<std::mutex> one(callers_);
    int64_t pieces = std::min<int64_t>(rows, 4 * (workers_ + 1));
    {
      std::lock_guard<std::mutex> lock(mutex_);
      body_ = &body;
      rows_ = rows;
      pieces_ = pieces;
      next_ = 0;
      finished_ = 0;
      generation_++;
    }
    wake_.notify_all();
    takePieces();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return finished_ == pieces_ && active_ == 0; });
    body_ = nullptr;
  }

 private:
  void takePieces() {
    for (;;) {
      int64_t piece = next_.fetch_add(1);
      if (piece >= pieces_) return;
      (*body_)(rows_ * piece / pieces_, rows_ * (piece + 1) / pieces_);
      finished_.fetch_add(1);
    }
  }
  void work() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return generation_ != seen && body_ != nullptr; });
        seen = generation_;
        active_++;
      }
      takePieces();
      std::lock_guard<std::mutex> lock(mutex_);
      active_--;
      done_.notify_one();
    }
  }
  std::mutex callers_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t, int64_t)>* body_ = nullptr;
  int64_t rows_ = 0, pieces_ = 0;
  std::atomic<int64_t> next_{0}, finished_{0};
  uint64_t generation_ = 0;
  int active_ = 0;
  unsigned workers_ = 0;
};

Pool& pool() {
  static Pool* instance = new Pool();  // never destroyed: its threads outlive static destruction
  return *instance;
}

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

// rows of `width` scores; row r belongs to sample r / rowsPerSample, whose key bias is added when present.
MULTIVERSION void softmaxRows(const float* x, const float* keyBias, int64_t rowsPerSample, float* y, int64_t begin, int64_t end, int64_t width) {
  for (int64_t r = begin; r < end; r++) {
    const float* in = x + r * width;
    const float* bias = keyBias ? keyBias + (r / rowsPerSample) * width : nullptr;
    float* out = y + r * width;
    float largest = -3.0e38f;
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

struct Attributes {
  float epsilon = 0.0f;
  int64_t batch = 1, heads = 1;
};

// Inputs and outputs of one call; frees its tensor handles and reports the first failure.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}
  ~Call() {
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }
  bool load(int count) {
    for (int i = 0; i < count; i++) {
      TF_Tensor* tensor = nullptr;
      TF_GetInput(context_, i, &tensor, status_);
      if (TF_GetCode(status_) != TF_OK) return false;
      tensors_.push_back(tensor);
    }
    return true;
  }
  const float* in(int i) const { return static_cast<const float*>(TF_TensorData(tensors_[i])); }
  int64_t size(int i) const { return TF_TensorElementCount(tensors_[i]); }
  std::vector<int64_t> shape(int i) const {
    std::vector<int64_t> dims(TF_NumDims(tensors_[i]));
    for (size_t d = 0; d < dims.size(); d++) dims[d] = TF_Dim(tensors_[i], static_cast<int>(d));
    return dims;
  }
  int64_t last(int i) const { return TF_Dim(tensors_[i], TF_NumDims(tensors_[i]) - 1); }
  bool expect(bool condition, const char* what) {
    if (!condition) TF_SetStatus(status_, TF_INVALID_ARGUMENT, what);
    return condition;
  }
  float* out(int index, const std::vector<int64_t>& dims) {
    size_t count = 1;
    for (int64_t n : dims) count *= n;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, TF_FLOAT, dims.data(), static_cast<int>(dims.size()), count * sizeof(float), status_);
    if (tensor == nullptr) return nullptr;
    tensors_.push_back(tensor);
    return TF_GetCode(status_) == TF_OK ? static_cast<float*>(TF_TensorData(tensor)) : nullptr;
  }

 private:
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

void gelu(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 2 : 1)) return;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (hasBias && !call.expect(call.size(1) == width, "bias width")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *bias = hasBias ? call.in(1) : nullptr;
  pool().run(rows, width * 4, [=](int64_t from, int64_t to) { geluRows(x + from * width, bias, y + from * width, to - from, width); });
}
void computeGelu(void*, TF_OpKernelContext* c) { Call call(c); gelu(call, false); }
void computeBiasGelu(void*, TF_OpKernelContext* c) { Call call(c); gelu(call, true); }

void geluGradient(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 3 : 2)) return;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1) && (!hasBias || call.size(2) == width), "shapes of dy, x and bias")) return;
  float* dx = call.out(0, call.shape(1));
  if (!dx) return;
  const float *dy = call.in(0), *x = call.in(1), *bias = hasBias ? call.in(2) : nullptr;
  pool().run(rows, width * 4, [=](int64_t from, int64_t to) {
    geluGradientRows(dy + from * width, x + from * width, bias, dx + from * width, to - from, width);
  });
}
void computeGeluGradient(void*, TF_OpKernelContext* c) { Call call(c); geluGradient(call, false); }
void computeBiasGeluGradient(void*, TF_OpKernelContext* c) { Call call(c); geluGradient(call, true); }

void computeLayerNorm(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(3)) return;
  float epsilon = static_cast<Attributes*>(state)->epsilon;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(1) == width && call.size(2) == width, "width of gamma and beta")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *gamma = call.in(1), *beta = call.in(2);
  pool().run(rows, width, [=](int64_t from, int64_t to) { layerNormRows(x + from * width, gamma, beta, epsilon, y + from * width, to - from, width); });
}

void layerNormGradient(void* state, Call& call, bool hasResidual) {
  if (!call.load(hasResidual ? 4 : 3)) return;
  float epsilon = static_cast<Attributes*>(state)->epsilon;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1) && call.size(2) == width && (!hasResidual || call.size(3) == call.size(1)), "shapes")) return;
  float* dx = call.out(0, call.shape(1));
  if (!dx) return;
  const float *dy = call.in(0), *x = call.in(1), *gamma = call.in(2), *residual = hasResidual ? call.in(3) : nullptr;
  pool().run(rows, 2 * width, [=](int64_t from, int64_t to) {
    int64_t o = from * width;
    layerNormGradientRows(dy + o, x + o, gamma, residual ? residual + o : nullptr, epsilon, dx + o, to - from, width);
  });
}
void computeLayerNormGradient(void* s, TF_OpKernelContext* c) { Call call(c); layerNormGradient(s, call, false); }
void computeLayerNormGradientAdd(void* s, TF_OpKernelContext* c) { Call call(c); layerNormGradient(s, call, true); }

void softmax(Call& call, bool hasBias) {
  if (!call.load(hasBias ? 2 : 1)) return;
  std::vector<int64_t> shape = call.shape(0);
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  int64_t rowsPerSample = std::max<int64_t>(1, rows / std::max<int64_t>(1, shape[0]));
  if (hasBias && !call.expect(call.size(1) == shape[0] * width, "key bias")) return;
  float* y = call.out(0, shape);
  if (!y) return;
  const float *x = call.in(0), *bias = hasBias ? call.in(1) : nullptr;
  pool().run(rows, 3 * width, [=](int64_t from, int64_t to) { softmaxRows(x, bias, rowsPerSample, y, from, to, width); });
}
void computeSoftmax(void*, TF_OpKernelContext* c) { Call call(c); softmax(call, false); }
void computeMaskedSoftmax(void*, TF_OpKernelContext* c) { Call call(c); softmax(call, true); }

void computeSoftmaxGradient(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(2)) return;
  int64_t width = call.last(1), rows = call.size(1) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(0) == call.size(1), "shapes of dp and p")) return;
  float* ds = call.out(0, call.shape(1));
  if (!ds) return;
  const float *dp = call.in(0), *p = call.in(1);
  pool().run(rows, width, [=](int64_t from, int64_t to) { softmaxGradientRows(dp + from * width, p + from * width, ds + from * width, to - from, width); });
}

void computeAddBiasResidual(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(3)) return;
  int64_t width = call.last(0), rows = call.size(0) / std::max<int64_t>(1, width);
  if (!call.expect(call.size(1) == width && call.size(2) == call.size(0), "shapes of bias and residual")) return;
  float* y = call.out(0, call.shape(0));
  if (!y) return;
  const float *x = call.in(0), *bias = call.in(1), *residual = call.in(2);
  pool().run(rows, width, [=](int64_t from, int64_t to) {
    addBiasResidualRows(x + from * width, bias, residual + from * width, y + from * width, to - from, width);
  });
}

// x [B*T, 3*H*d] + bias -> q, k, v, each [B, H, T, d].
void computeSplitQkv(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(2)) return;
  auto* attributes = static_cast<Attributes*>(state);
  int64_t B = attributes->batch, H = attributes->heads, width = call.last(0);
  if (!call.expect(B > 0 && H > 0 && width % (3 * H) == 0 && call.size(1) == width && call.size(0) % (B * width) == 0, "shapes of x and bias")) return;
  int64_t d = width / (3 * H), T = call.size(0) / (B * width), D = H * d;
  std::vector<int64_t> dims{B, H, T, d};
  float* outputs[3];
  for (int i = 0; i < 3; i++) if (!(outputs[i] = call.out(i, dims))) return;
  float* const* out = outputs;
  const float *x = call.in(0), *bias = call.in(1);
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int part = 0; part < 3; part++) {
        for (int64_t h = 0; h < H; h++) {
          const float* source = x + row * width + part * D + h * d;
          const float* add = bias + part * D + h * d;
          float* target = out[part] + ((b * H + h) * T + t) * d;
          for (int64_t i = 0; i < d; i++) target[i] = source[i] + add[i];
        }
      }
    }
  });
}

// Any number of [B, H, T, d] side by side: [B*T, count*H*d].
void joinHeads(Call& call, int count) {
  if (!call.load(count)) return;
  std::vector<int64_t> s = call.shape(0);
  if (!call.expect(s.size() == 4, "four axes")) return;
  int64_t B = s[0], H = s[1], T = s[2], d = s[3], width = count * H * d;
  const float* inputs[3] = {nullptr, nullptr, nullptr};
  for (int i = 0; i < count; i++) {
    if (!call.expect(call.size(i) == call.size(0), "equal shapes")) return;
    inputs[i] = call.in(i);
  }
  float* y = call.out(0, {B * T, width});
  if (!y) return;
  const float* const* in = inputs;
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int part = 0; part < count; part++) {
        for (int64_t h = 0; h < H; h++) {
          std::memcpy(y + row * width + (part * H + h) * d, in[part] + ((b * H + h) * T + t) * d, d * sizeof(float));
        }
      }
    }
  });
}
void computeJoinQkv(void*, TF_OpKernelContext* c) { Call call(c); joinHeads(call, 3); }
void computeJoinHeads(void*, TF_OpKernelContext* c) { Call call(c); joinHeads(call, 1); }

void computeSplitHeads(void* state, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(1)) return;
  auto* attributes = static_cast<Attributes*>(state);
  int64_t B = attributes->batch, H = attributes->heads, width = call.last(0);
  if (!call.expect(B > 0 && H > 0 && width % H == 0 && call.size(0) % (B * width) == 0, "shape of x")) return;
  int64_t d = width / H, T = call.size(0) / (B * width);
  float* y = call.out(0, {B, H, T, d});
  if (!y) return;
  const float* x = call.in(0);
  pool().run(B * T, width, [=](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t b = row / T, t = row % T;
      for (int64_t h = 0; h < H; h++) std::memcpy(y + ((b * H + h) * T + t) * d, x + row * width + h * d, d * sizeof(float));
    }
  });
}

void computeAdamW(void*, TF_OpKernelContext* c) {
  Call call(c);
  if (!call.load(5)) return;
  int64_t count = call.size(0);
  if (!call.expect(call.size(1) == count && call.size(2) == count && call.size(3) == count && call.size(4) == 8, "shapes")) return;
  float *p = call.out(0, call.shape(0)), *m = call.out(1, call.shape(0)), *v = call.out(2, call.shape(0));
  if (!p || !m || !v) return;
  const float *ip = call.in(0), *g = call.in(1), *im = call.in(2), *iv = call.in(3), *s = call.in(4);
  pool().run(count, 4, [=](int64_t a, int64_t b) { adamWValues(ip + a, g + a, im + a, iv + a, s, p + a, m + a, v + a, b - a); });
}

void* createAttributes(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes();
  TF_Status* status = TF_NewStatus();
  auto integer = [&](const char* name, int64_t* value) {
    if (TF_OpKernelConstruction_HasAttr(construction, name, status)) TF_OpKernelConstruction_GetAttrInt64(construction, name, value, status);
  };
  if (TF_OpKernelConstruction_HasAttr(construction, "epsilon", status)) {
    TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &attributes->epsilon, status);
  }
  integer("batch", &attributes->batch);
  integer("heads", &attributes->heads);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}
void deleteAttributes(void* state) { delete static_cast<Attributes*>(state); }
void unknownShape(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs, attributes;
  void (*compute)(void*, TF_OpKernelContext*);
};

bool registerAll(std::string* problem) {
  const std::vector<const char*> eps{"epsilon: float"}, heads{"batch: int", "heads: int"};
  const std::vector<Operation> operations{
      {"LacunaGelu", {"x: float"}, {"y: float"}, {}, computeGelu},
      {"LacunaBiasGelu", {"x: float", "bias: float"}, {"y: float"}, {}, computeBiasGelu},
      {"LacunaGeluGradient", {"dy: float", "x: float"}, {"dx: float"}, {}, computeGeluGradient},
      {"LacunaBiasGeluGradient", {"dy: float", "x: float", "bias: float"}, {"dx: float"}, {}, computeBiasGeluGradient},
      {"LacunaLayerNorm", {"x: float", "gamma: float", "beta: float"}, {"y: float"}, eps, computeLayerNorm},
      {"LacunaLayerNormGradient", {"dy: float", "x: float", "gamma: float"}, {"dx: float"}, eps, computeLayerNormGradient},
      {"LacunaLayerNormGradientAdd", {"dy: float", "x: float", "gamma: float", "residual: float"}, {"dx: float"}, eps, computeLayerNormGradientAdd},
      {"LacunaSoftmax", {"x: float"}, {"y: float"}, {}, computeSoftmax},
      {"LacunaMaskedSoftmax", {"x: float", "bias: float"}, {"y: float"}, {}, computeMaskedSoftmax},
      {"LacunaSoftmaxGradient", {"dp: float", "p: float"}, {"ds: float"}, {}, computeSoftmaxGradient},
      {"LacunaAddBiasResidual", {"x: float", "bias: float", "residual: float"}, {"y: float"}, {}, computeAddBiasResidual},
      {"LacunaSplitQkv", {"x: float", "bias: float"}, {"q: float", "k: float", "v: float"}, heads, computeSplitQkv},
      {"LacunaJoinQkv", {"q: float", "k: float", "v: float"}, {"y: float"}, {}, computeJoinQkv},
      {"LacunaSplitHeads", {"x: float"}, {"y: float"}, heads, computeSplitHeads},
      {"LacunaJoinHeads", {"x: float"}, {"y: float"}, {}, computeJoinHeads},
      {"LacunaAdamW", {"p: float", "g: float", "m: float", "v: float", "s: float"}, {"pn: float", "mn: float", "vn: float"}, {}, computeAdamW},
  };
  TF_Status* status = TF_NewStatus();
  for (const Operation& operation : operations) {
    TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
    for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
    for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
    for (const char* attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
    TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, unknownShape);
    TF_RegisterOpDefinition(definition, status);
    if (TF_GetCode(status) == TF_OK) {
      TF_KernelBuilder* kernel = TF_NewKernelBuilder(operation.name, "CPU", createAttributes, operation.compute, deleteAttributes);
      TF_RegisterKernelBuilder(operation.name, kernel, status);
    }
    if (TF_GetCode(status) != TF_OK) {
      *problem = TF_Message(status);
      TF_DeleteStatus(status);
      return false;
    }
  }
  TF_DeleteStatus(status);
  return true;
}

napi_value initialise(napi_env env, napi_value exports) {
  static std::string problem;
  // Registered once for the process; a second load (another thread or context) finds them there.
  static bool registered = registerAll(&problem);
  if (!registered) napi_throw_error(env, nullptr, problem.c_str());
  return exports;
}

}  // namespace

NAPI_MODULE(lacuna_kernels, initialise)
