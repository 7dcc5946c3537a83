import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { errorLine } from './words.ts'

/** One card as the NVIDIA driver lists it. */
export interface NvidiaCard {
  name: string
  memoryMegabytes: number
  /** Such as "550.54.14". */
  driver: string
  /** Such as "8.6"; null where the driver is too old to say. */
  computeCapability: string | null
}

/** What was found of one backend when it was tried: it works, or why not. */
export type Trial = { works: true; device: string; version: string | null } | { works: false; failure: string }

/** Everything that is known of this machine before a backend is loaded. Reading it takes milliseconds (longer where nvidia-smi runs). */
export interface DeviceFacts {
  platform: string
  arch: string
  processor: { name: string; cores: number; hasAvx: boolean | null; hasAvx2: boolean | null }
  /** `failure` is null both when cards are listed and when there is no NVIDIA driver at all. */
  nvidia: { cards: NvidiaCard[]; failure: string | null }
  /** Whether the system shows a graphics device at all; null where only trying tells. */
  hasGraphicsDevice: boolean | null
  /** Which TensorFlow build the set-up installed, and its words on why. */
  setup: { build: 'cuda' | 'cpu' | 'none' | null; reason: string | null }
}

/** Reads the facts from this machine. `env` carries what the set-up found (LACUNA_TENSORFLOW_BUILD, LACUNA_COMPUTE_REASON). */
export function readDeviceFacts(env: NodeJS.ProcessEnv = process.env): DeviceFacts {
  const flags = process.platform === 'linux' && existsSync('/proc/cpuinfo') ? cpuFlags(readFileSync('/proc/cpuinfo', 'utf8')) : null
  const build = env['LACUNA_TENSORFLOW_BUILD']
  return {
    platform: process.platform,
    arch: process.arch,
    processor: {
      name: cpus()[0]?.model.trim() ?? 'processor', cores: availableParallelism(),
      hasAvx: flags?.has('avx') ?? null, hasAvx2: flags?.has('avx2') ?? null,
    },
    nvidia: readNvidia(),
    hasGraphicsDevice: process.platform === 'linux' ? hasRenderNode() : null,
    setup: { build: build === 'cuda' || build === 'cpu' || build === 'none' ? build : null, reason: env['LACUNA_COMPUTE_REASON'] ?? null },
  }
}

/** Instruction sets that the processor names; null where the text has none (ARM lists "Features" instead). */
export function cpuFlags(cpuinfo: string): Set<string> | null {
  const line = /^flags\s*:\s*(.*)$/m.exec(cpuinfo)
  return line === null ? null : new Set(line[1]!.split(/\s+/))
}

/** Cards from the answer of `nvidia-smi --query-gpu=name,memory.total,driver_version,compute_cap --format=csv,noheader,nounits`. */
export function parseNvidiaSmi(text: string): NvidiaCard[] {
  return text.split('\n').flatMap((line) => {
    const [name, memory, driver, capability] = line.split(',').map((cell) => cell.trim())
    const memoryMegabytes = Number(memory)
    if (!name || !driver || !Number.isFinite(memoryMegabytes)) return []
    return [{ name, memoryMegabytes, driver, computeCapability: /^\d+\.\d+$/.test(capability ?? '') ? capability! : null }]
  })
}

function readNvidia(): DeviceFacts['nvidia'] {
  const ask = (fields: string) => spawnSync('nvidia-smi', [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], { encoding: 'utf8', timeout: 10_000, windowsHide: true })
  let answer = ask('name,memory.total,driver_version,compute_cap')
  // Drivers before 510 do not know compute_cap and refuse the whole question.
  if (answer.status !== 0 && answer.error === undefined) answer = ask('name,memory.total,driver_version')
  if (answer.error !== undefined) {
    const isAbsent = (answer.error as NodeJS.ErrnoException).code === 'ENOENT'
    return { cards: [], failure: isAbsent ? null : errorLine(answer.error) }
  }
  if (answer.status !== 0) return { cards: [], failure: errorLine(`${answer.stdout}\n${answer.stderr}`.trim()) }
  return { cards: parseNvidiaSmi(answer.stdout), failure: null }
}

/** Linux shows every graphics device that can compute as a render node (WSL: /dev/dxg); without one Dawn need not be loaded. */
function hasRenderNode(): boolean {
  if (existsSync('/dev/dxg')) return true
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'))
}

/** Memory of the computing device that is free now; null where the device does not tell (WebGPU). */
export function freeDeviceBytes(backend: 'cuda' | 'webgpu' | 'cpu' | 'wasm'): number | null {
  if (backend === 'webgpu') return null
  // Knows the limit of a container, which the free memory of the machine does not.
  if (backend !== 'cuda') return process.availableMemory()
  const card = process.env['CUDA_VISIBLE_DEVICES'] ?? '0'
  const answer = spawnSync('nvidia-smi', [`--id=${card}`, '--query-gpu=memory.free', '--format=csv,noheader,nounits'], { encoding: 'utf8', timeout: 10_000, windowsHide: true })
  const megabytes = answer.status === 0 ? Number.parseFloat(answer.stdout) : Number.NaN
  return Number.isFinite(megabytes) ? megabytes * 2 ** 20 : null
}
