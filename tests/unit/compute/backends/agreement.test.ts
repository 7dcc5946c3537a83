/**
 * The same tiny network trained on every backend that runs here, each in a process of its own. Tolerances, against the processor:
 * one kernel within 1e-6 of its largest value (float32 sums in another order, error functions by other polynomials); losses of 3 steps
 * within 1e-4, a product of inner length 3072 within 1e-5, and logits and trained tensors within 1e-3, because Adam divides by the root of small gradients and enlarges what differs.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

interface Printed { kind: string; kernels: string; verdict: { device: string; reason: string }; weightsHash: string; leaked: number; numbers: Record<string, number[]> }

const child = path.join(import.meta.dirname, 'agreement-child.ts')

function runOn<T = Printed>(backend: string, env: Record<string, string> = {}, script = child): Promise<T> {
  return new Promise((resolve, reject) => {
    // The last line counts: Dawn prints errors to stdout.
    const started = spawn(process.execPath, [script], { env: { ...process.env, ...env, LACUNA_BACKEND: backend }, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, errors] = ['', '']
    started.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
    started.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    started.on('close', (code) => (code === 0 ? resolve(JSON.parse(out.trim().split('\n').at(-1)!) as T) : reject(new Error(`${backend} ended with ${code}: ${errors.slice(-2000)}`))))
  })
}

/** Largest difference in units of the largest value. */
function gap(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length)
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return actual.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0) / scale
}

const bounds: Record<string, number> = { longProduct: 1e-5, losses: 1e-4, logits: 1e-3, trained: 1e-3 }

function expectAgreement(actual: Printed, expected: Printed): void {
  expect(Object.keys(actual.numbers)).toEqual(Object.keys(expected.numbers))
  for (const [name, values] of Object.entries(expected.numbers)) expect(gap(actual.numbers[name]!, values), name).toBeLessThan(bounds[name] ?? 1e-6)
  expect(actual.leaked).toBe(0)
  // Else a checkpoint trained on one backend would be refused on another.
  expect(actual.weightsHash).toBe(expected.weightsHash)
}

/** Electron brings a Vulkan loader and a software renderer along; nothing of the system is used. */
function softwareVulkan(): Record<string, string> | null {
  const folder = path.dirname(process.env['LACUNA_ELECTRON'] ?? '')
  const driver = path.join(folder, 'vk_swiftshader_icd.json')
  if (process.platform !== 'linux' || !existsSync(driver) || !existsSync(path.join(folder, 'libvulkan.so.1'))) return null
  return { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'), LACUNA_DAWN: 'backend=vulkan' }
}

const vulkan = softwareVulkan()

describe('every backend gives the numbers of the processor', { timeout: 300_000 }, () => {
  let processor: Printed
  beforeAll(async () => { processor = await runOn('cpu') }, 60_000)

  it('the processor itself learns', () => {
    expect(processor.kind).toBe('cpu')
    expect(processor.numbers['losses']!.at(-1)).toBeLessThan(processor.numbers['losses']![0]!)
  })

  it('WebAssembly', async () => {
    const wasm = await runOn('wasm')
    expect(wasm).toMatchObject({ kind: 'wasm', kernels: 'plain-wasm' })
    expect(wasm.verdict.reason).toContain('50 times slower')
    expectAgreement(wasm, processor)
  })

  it.skipIf(vulkan === null)('WebGPU on software Vulkan (skipped where the set-up has no Electron with SwiftShader)', async () => {
    const webgpu = await runOn('webgpu', vulkan!)
    expect(webgpu).toMatchObject({ kind: 'webgpu', kernels: 'plain-webgpu' })
    expect(webgpu.verdict.device).toMatch(/SwiftShader.*software renderer/)
    expectAgreement(webgpu, processor)
  })

  it.skipIf(vulkan === null)('WebGPU says at once that memory ran out, computes on, and tells a lost device', async () => {
    const faults = await runOn<Record<string, string>>('webgpu', vulkan!, path.join(import.meta.dirname, 'webgpu-faults-child.ts'))
    expect(faults).toEqual({ tooLarge: 'out of memory', afterwards: 'right', late: 'WebGPU', lost: 'COMPUTE_DEVICE_LOST' })
  })

  it.skipIf(vulkan === null)('does not take a software renderer by itself', async () => {
    const automatic = await runOn('auto', { ...vulkan!, LACUNA_TENSORFLOW_BUILD: 'cpu' })
    expect(['cpu', 'cuda']).toContain(automatic.kind)
  })
})

it('refuses a chosen card that is not there instead of using the processor', async () => {
  await expect(runOn('cuda', { PATH: '/nonexistent' })).rejects.toThrow(/COMPUTE_CHOICE_FAILED|cannot be used, and no other one is taken/)
})
