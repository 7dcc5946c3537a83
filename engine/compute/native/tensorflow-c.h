// What the kernels need of TensorFlow's C interface, and one class that keeps a call's tensors and its first failure.
#pragma once

#include <algorithm>
#include <cstdint>
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

namespace lacuna {

struct Attributes {
  float epsilon = 0.0f;
  int64_t batch = 1, heads = 1;
  // Of whole blocks: layer norm before each part, output for each sample's first row only, what is kept (block.h).
  int64_t preNorm = 0, firstOnly = 0, keep = 0;
  // What a backward pass writes of trained parts; updates by a bit for each map.
  int64_t wantsVectors = 0, wantsPrompts = 0, wantsUpdates = 0;
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
  const int32_t* integers(int i) const { return static_cast<const int32_t*>(TF_TensorData(tensors_[i])); }
  float* out(int index, const std::vector<int64_t>& dims) { return static_cast<float*>(allocate(index, TF_FLOAT, dims)); }
  int32_t* outIntegers(int index, int64_t count) { return static_cast<int32_t*>(allocate(index, TF_INT32, {count})); }

 private:
  // Both types take four bytes.
  void* allocate(int index, TF_DataType type, const std::vector<int64_t>& dims) {
    size_t count = 1;
    for (int64_t n : dims) count *= n;
    TF_Tensor* tensor = TF_AllocateOutput(context_, index, type, dims.data(), static_cast<int>(dims.size()), count * 4, status_);
    if (tensor == nullptr) return nullptr;
    tensors_.push_back(tensor);
    return TF_GetCode(status_) == TF_OK ? TF_TensorData(tensor) : nullptr;
  }
  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
};

}  // namespace lacuna
