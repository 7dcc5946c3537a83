// Fused processor kernels for the frozen transformer blocks, registered as TensorFlow operations.
//
// TensorFlow run eagerly makes one pass over memory for every elementary operation; GELU alone takes five. These kernels do each
// step of a block in one pass. Loaded as a Node addon after the TensorFlow binding; when it is absent the engine uses plain operations.
#include <node_api.h>

#include <new>
#include <stdexcept>
#include <string>

#include "block/trained-operations.h"
#include "memory.h"
#include "row-operations.h"

namespace {

using namespace lacuna;

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
  integer("pre_norm", &attributes->preNorm);
  integer("first_only", &attributes->firstOnly);
  integer("keep", &attributes->keep);
  integer("wants_vectors", &attributes->wantsVectors);
  integer("wants_prompts", &attributes->wantsPrompts);
  integer("wants_updates", &attributes->wantsUpdates);
  if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(construction, status);
  TF_DeleteStatus(status);
  return attributes;
}
void deleteAttributes(void* state) { delete static_cast<Attributes*>(state); }
void unknownShape(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

// No exception may leave a kernel: one for want of memory is told as TensorFlow tells it, so that the engine goes on with smaller batches.
template <void (*compute)(void*, TF_OpKernelContext*)>
void guarded(void* state, TF_OpKernelContext* context) {
  TF_Code code = TF_OK;
  const char* message = "";
  try {
    compute(state, context);
  } catch (const std::bad_alloc&) {
    code = TF_RESOURCE_EXHAUSTED, message = "OOM when allocating the working memory of a block";
  } catch (const std::exception&) {
    code = TF_INTERNAL, message = "a block took more working memory than it had asked for";
  }
  if (code == TF_OK) return;
  TF_Status* status = TF_NewStatus();
  TF_SetStatus(status, code, message);
  TF_OpKernelContext_Failure(context, status);
  TF_DeleteStatus(status);
}

struct Operation {
  const char* name;
  std::vector<const char*> inputs, outputs, attributes;
  void (*compute)(void*, TF_OpKernelContext*);
};

bool registerAll(std::string* problem) {
  const std::vector<const char*> eps{"epsilon: float"}, heads{"batch: int", "heads: int"};
  const std::vector<const char*> blockForward{"epsilon: float", "heads: int", "pre_norm: int", "first_only: int", "keep: int"};
  const std::vector<const char*> blockWeights{"qkv_w: float", "qkv_b: float", "out_w: float", "out_b: float", "norm1_g: float", "norm1_b: float",
                                              "expand_w: float", "expand_b: float", "contract_w: float", "contract_b: float", "norm2_g: float", "norm2_b: float"};
  auto around = [&](std::vector<const char*> before) {
    before.insert(before.end(), blockWeights.begin(), blockWeights.end());
    before.insert(before.end(), {"lengths: int32", "key_bias: float"});
    return before;
  };
  auto withParts = [&](std::vector<const char*> before) {
    before = around(before);
    before.insert(before.end(), {"sets: int32", "factors: float", "prompts: float", "qkv_down: float", "qkv_up: float", "out_down: float", "out_up: float",
                                 "expand_down: float", "expand_up: float", "contract_down: float", "contract_up: float"});
    return before;
  };
  std::vector<const char*> partsAsked = blockForward;
  partsAsked.insert(partsAsked.end(), {"wants_vectors: int", "wants_prompts: int", "wants_updates: int"});
  const std::vector<Operation> operations{
      {"LacunaBlockForward", around({"x: float"}), {"y: float", "kept: int32"}, blockForward, guarded<computeBlockForward>},
      {"LacunaBlockBackward", around({"dy: float", "kept: int32"}), {"dx: float"}, blockForward, guarded<computeBlockBackward>},
      {"LacunaTrainedBlockForward", withParts({"x: float"}), {"y: float", "kept: int32"}, blockForward, guarded<computeTrainedBlockForward>},
      {"LacunaTrainedBlockBackward", withParts({"dy: float", "kept: int32"}),
       {"dx: float", "d_vectors: float", "d_factors: float", "d_prompts: float", "d_qkv_down: float", "d_qkv_up: float", "d_out_down: float", "d_out_up: float",
        "d_expand_down: float", "d_expand_up: float", "d_contract_down: float", "d_contract_up: float"},
       partsAsked, guarded<computeTrainedBlockBackward>},
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

// Gives back what start-up and freed tensors left resident; safe at any time between operations.
napi_value releaseMemory(napi_env env, napi_callback_info) {
  Workspace::instance().release();
  releaseUnusedPages();
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  return undefined;
}

napi_value initialise(napi_env env, napi_value exports) {
  static std::string problem;
  // Registered once for the process; a second load (another thread or context) finds them there.
  static bool registered = registerAll(&problem);
  returnLargeTensors();
  if (!registered) napi_throw_error(env, nullptr, problem.c_str());
  napi_value release;
  napi_create_function(env, "releaseMemory", NAPI_AUTO_LENGTH, releaseMemory, nullptr, &release);
  napi_set_named_property(env, exports, "releaseMemory", release);
  return exports;
}

}  // namespace

NAPI_MODULE(lacuna_kernels, initialise)
