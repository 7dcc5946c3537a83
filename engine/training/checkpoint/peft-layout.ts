/**
 * Plain LoRA as the Python library peft stores it, so that it loads there without conversion: tensors
 * `base_model.model.<module>.lora_A.weight` [R, in] and `.lora_B.weight` [out, R], rank, alpha and modules in adapter_config.json.
 * In the engine they are `<module>.lora_A` [in, R] and `.lora_B` [R, out]. All other tensors keep name and layout.
 */
import type { HostValues } from '../../compute/parameters.ts'
import type { RunConfig } from '../../domain/run.ts'

/** A set per combination carries its name and a slash in front and has no counterpart in peft. */
const ownName = /^(encoder\.[^/]+)\.lora_([AB])$/
const peftName = /^base_model\.model\.(encoder\..+)\.lora_([AB])\.weight$/

/** Tensors as they are written. */
export function toFile(trained: Record<string, HostValues>): Record<string, HostValues> {
  return rename(trained, ownName, (module, side) => `base_model.model.${module}.lora_${side}.weight`)
}

/** Tensors as the engine names them, from a file of this or an older version. */
export function fromFile(stored: Record<string, HostValues>): Record<string, HostValues> {
  return rename(stored, peftName, (module, side) => `${module}.lora_${side}`)
}

function rename(tensors: Record<string, HostValues>, pattern: RegExp, nameOf: (module: string, side: string) => string): Record<string, HostValues> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => {
    const match = pattern.exec(name)
    return match === null ? [name, tensor] : [nameOf(match[1]!, match[2]!), transpose(tensor)]
  }))
}

function transpose({ shape, values }: HostValues): HostValues {
  const [rows, columns] = shape as [number, number]
  return { shape: [columns, rows], values: Float32Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!) }
}

/** What peft reads from adapter_config.json besides the fields of every checkpoint; nothing for other methods than plain LoRA. */
export function peftFields(config: RunConfig, trained: Record<string, HostValues>): Record<string, unknown> {
  const modules = Object.keys(trained).flatMap((name) => {
    const match = ownName.exec(name)
    return match !== null && match[2] === 'A' ? [match[1]!] : []
  })
  if (modules.length === 0) return {}
  // Full module names: endings such as "output.dense" would fit two layers of a block.
  return {
    r: config.lora.rank, lora_alpha: config.lora.alpha, target_modules: modules, lora_dropout: 0, bias: 'none', fan_in_fan_out: false, use_rslora: false, use_dora: false,
    task_type: null, inference_mode: true,
  }
}
