import { describe, expect, it } from 'vitest'
import { kernelsFor, openCompute } from '../../../../engine/compute/backend.ts'
import { cpuFlags, parseNvidiaSmi, type DeviceFacts, type NvidiaCard } from '../../../../engine/compute/device/facts.ts'
import { libraryEnvironment } from '../../../../engine/compute/device/open-tensorflow.ts'
import { candidates, choiceFrom, judge, obstacleBefore, verdictSentence, type BackendChoice, type BackendKind, type Trials } from '../../../../engine/compute/device/verdict.ts'
import { deviceVerdictSchema } from '../../../../engine/domain/run.ts'

const a100: NvidiaCard = { name: 'NVIDIA A100', memoryMegabytes: 40960, driver: '550.54.14', computeCapability: '8.0' }
const server: DeviceFacts = {
  platform: 'linux', arch: 'x64', processor: { name: 'AMD EPYC', cores: 2, hasAvx: true, hasAvx2: true },
  nvidia: { cards: [], failure: null }, hasGraphicsDevice: false, setup: { build: 'cpu', reason: 'TensorFlow 2.21.0 (cpu): no NVIDIA GPU' },
}
const workstation: DeviceFacts = { ...server, nvidia: { cards: [a100], failure: null }, hasGraphicsDevice: true, setup: { build: 'cuda', reason: 'TensorFlow 2.21.0 (cuda): nvidia-smi lists a GPU' } }
const withCard = (changes: Partial<NvidiaCard>): DeviceFacts => ({ ...workstation, nvidia: { cards: [{ ...a100, ...changes }], failure: null } })

const works = (device: string) => ({ works: true as const, device, version: '2.21.0' })
const fails = (failure: string) => ({ works: false as const, failure })
/** What trying would show; the judgement is given only what would really have been tried. */
const everything: Required<Trials> = { cuda: works('NVIDIA A100'), webgpu: works('AMD Radeon RX 7800'), cpu: works('AMD EPYC, 2 cores'), wasm: works('AMD EPYC, one core') }

function judged(facts: DeviceFacts, choice: BackendChoice, shown: Partial<Trials> = {}): ReturnType<typeof judge> {
  const trials: Trials = {}
  for (const kind of candidates(choice)) {
    if (obstacleBefore(kind, facts, choice) !== null) continue
    const trial = { ...everything, ...shown }[kind]
    trials[kind] = trial
    if (trial.works) break
  }
  return judge(facts, choice, trials)
}

describe('the best backend that works, every better one named with its cause', () => {
  const noWebgpu: Partial<Trials> = { webgpu: fails('no graphics device was found') }
  const table: [string, DeviceFacts, Partial<Trials>, BackendKind, RegExp, RegExp | null][] = [
    ['a workstation with a card', workstation, {}, 'cuda', /^TensorFlow 2\.21\.0 computes on the NVIDIA card with CUDA\.$/, null],
    ['a server without a card', server, {}, 'cpu', /no NVIDIA graphics card was found \(nvidia-smi does not run\) and the system shows no other/, /use a workstation with an NVIDIA card/],
    ['a driver that is too old', withCard({ driver: '470.223.02' }), noWebgpu, 'cpu', /driver 470\.223\.02 of the NVIDIA A100 is too old for CUDA 12/, /Update the NVIDIA driver to 525\.60\.13 or later/],
    ['a driver one step too old', withCard({ driver: '525.60.9' }), noWebgpu, 'cpu', /too old/, /525\.60\.13/],
    ['the oldest driver that works', withCard({ driver: '525.60.13' }), {}, 'cuda', /CUDA/, null],
    ['a driver that does not answer', { ...workstation, nvidia: { cards: [], failure: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver" } }, noWebgpu, 'cpu', /driver does not answer \(NVIDIA-SMI has failed/, /Reinstall the NVIDIA driver/],
    ['a card that is too old', withCard({ name: 'GTX 970', computeCapability: '5.2' }), noWebgpu, 'cpu', /GTX 970 \(compute capability 5\.2\) is older/, /6\.0 or later/],
    ['a card with little memory', withCard({ name: 'GT 1030', memoryMegabytes: 2048, computeCapability: '6.1' }), noWebgpu, 'cpu', /GT 1030 has only 2\.0 GB/, /at least 3\.0 GB/],
    ['a card with the CPU build', { ...workstation, setup: { build: 'cpu', reason: 'the CUDA build failed (no space)' } }, noWebgpu, 'cpu', /CUDA libraries are not installed \(the CUDA build failed \(no space\)\)/, /To use the card, ask whoever installed Lacuna to set it up again \("npm run setup"/],
    ['a CUDA library that is missing', workstation, { cuda: fails('it loads, but reports no usable card'), ...noWebgpu }, 'cpu', /cannot use the NVIDIA A100 \(it loads, but reports no usable card\)/, /Update the NVIDIA driver, then ask whoever installed Lacuna .*"npm run setup"/],
    ['an AMD card', { ...server, hasGraphicsDevice: true }, {}, 'webgpu', /WebGPU \(Dawn\) computes on the graphics device, because no NVIDIA graphics card/, /NVIDIA card/],
    ['an AMD card whose driver is broken', { ...server, hasGraphicsDevice: true }, { webgpu: fails('the device was lost') }, 'cpu', /no NVIDIA graphics card .* and WebGPU cannot be used \(the device was lost\)/, /NVIDIA/],
    ['a software renderer only', { ...server, hasGraphicsDevice: null }, { webgpu: fails('only the software renderer SwiftShader was found') }, 'cpu', /only the software renderer/, /./],
    ['Apple', { ...server, platform: 'darwin', arch: 'arm64', processor: { name: 'Apple M3', cores: 8, hasAvx: null, hasAvx2: null }, hasGraphicsDevice: null, setup: { build: 'none', reason: null } }, {}, 'webgpu', /CUDA is used on 64-bit Linux only, and this is darwin-arm64/, /Linux workstation/],
    ['a processor without AVX2', { ...server, processor: { ...server.processor, hasAvx2: false } }, {}, 'cpu', /lacks AVX2, which makes it about half as fast/, /NVIDIA/],
    ['a processor without AVX', { ...server, processor: { ...server.processor, hasAvx: false, hasAvx2: false } }, {}, 'wasm', /lacks the AVX instructions that TensorFlow needs/, /AVX/],
    ['no TensorFlow', { ...server, setup: { build: 'none', reason: 'pip is missing' } }, {}, 'wasm', /TensorFlow is not installed \(pip is missing\)/, /50 times faster, ask whoever installed Lacuna .*"npm run setup"/],
    ['a TensorFlow that does not load', server, { cpu: fails('libtensorflow_cc.so.2: cannot open shared object file') }, 'wasm', /could not be loaded \(libtensorflow_cc\.so\.2/, /npm run setup/],
  ]

  it.each(table)('%s', (_, facts, shown, backend, reason, remedy) => {
    const result = judged(facts, 'auto', shown)
    if (!('verdict' in result)) throw new Error(result.refusal)
    expect(deviceVerdictSchema.parse(result.verdict).backend).toBe(backend)
    expect(result.verdict.reason).toMatch(reason)
    expect(result.verdict.reason).toMatch(/^[A-Z].*\.$/)
    if (remedy === null) expect(result.verdict.remedy).toBeNull()
    else expect(result.verdict.remedy).toMatch(remedy)
    // One sentence: no full stop followed by another sentence.
    expect(verdictSentence(result.verdict)).not.toMatch(/[a-z)]\. [A-Z]/)
    expect(verdictSentence(result.verdict)).toMatch(remedy === null ? /\.$/ : /; remedy: .*\.$/)
  })
})

describe('a backend that was chosen by name', () => {
  it.each<[BackendKind, DeviceFacts, Partial<Trials>, RegExp]>([
    ['cuda', server, {}, /"cuda" cannot be used, and no other one is taken in its place: no NVIDIA graphics card.*use a workstation with an NVIDIA card/],
    ['cuda', workstation, { cuda: fails('it loads, but reports no usable card') }, /cannot use the NVIDIA A100.*Update the NVIDIA driver/],
    ['webgpu', server, { webgpu: fails('no graphics device was found') }, /WebGPU cannot be used \(no graphics device was found\).*Update the driver/],
    ['cpu', { ...server, setup: { build: 'none', reason: 'pip is missing' } }, {}, /TensorFlow is not installed \(pip is missing\).*npm run setup/],
    ['wasm', server, { wasm: fails('the file is missing') }, /WebAssembly could not be started/],
  ])('%s is refused with a remedy instead of replaced', (choice, facts, shown, refusal) => {
    const result = judged(facts, choice, shown)
    expect('refusal' in result && result.refusal).toMatch(refusal)
  })

  it.each<BackendKind>(['webgpu', 'cpu', 'wasm'])('%s is used although a better one is there', (choice) => {
    const result = judged(workstation, choice)
    expect('verdict' in result && result.verdict).toMatchObject({ backend: choice, reason: expect.stringMatching(/because it was chosen by setting\.$/) as string })
  })

  it('is refused when the word is no backend', async () => {
    expect(choiceFrom(undefined)).toBe('auto')
    expect(choiceFrom('WASM')).toBe('wasm')
    expect(() => choiceFrom('gpu')).toThrow(expect.objectContaining({ code: 'COMPUTE_CHOICE_FAILED' }) as Error)
    if (process.env['CUDA_VISIBLE_DEVICES'] === undefined) await expect(openCompute({ choice: 'cuda' })).rejects.toMatchObject({ code: 'COMPUTE_CHOICE_FAILED' })
  })
})

it('says that nothing works, with every cause', () => {
  const result = judged(server, 'auto', { cpu: fails('no library'), wasm: fails('no file') })
  expect('refusal' in result && result.refusal).toMatch(/^No compute backend can be used: no NVIDIA.*no library.*no file/)
})

it('never runs the processor kernels for a card', () => {
  const native = { name: 'native' } as ReturnType<typeof kernelsFor>
  const backend = { binding: {} }
  const tf = { backend: () => backend, getBackend: () => 'fake' } as unknown as Parameters<typeof kernelsFor>[1]
  const nameOf = (kind: BackendKind, plain = false) => kernelsFor(kind, tf, plain, () => native).name
  expect(nameOf('cpu')).toBe('native')
  expect(nameOf('cuda')).toBe('tensorflow')
  expect(nameOf('webgpu')).toBe('plain-fake')
  expect(nameOf('wasm')).toBe('plain-fake')
  expect(nameOf('cpu', true)).toBe('plain-fake')
})

it('asks CUDA for float32, for memory as it is needed and for the largest card', () => {
  const two: DeviceFacts = { ...workstation, nvidia: { cards: [{ ...a100, name: 'T400', memoryMegabytes: 4096 }, a100], failure: null } }
  expect(libraryEnvironment(two, true)).toMatchObject({ TF_FORCE_GPU_ALLOW_GROWTH: 'true', NVIDIA_TF32_OVERRIDE: '0', CUDA_VISIBLE_DEVICES: '1', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' })
  expect(libraryEnvironment(two, false)).not.toHaveProperty('NVIDIA_TF32_OVERRIDE')
})

it('reads what nvidia-smi and the kernel say', () => {
  expect(parseNvidiaSmi('NVIDIA H100 80GB HBM3, 81559, 570.133.20, 9.0\nTesla K80, 11441, 460.32.03\n\n')).toEqual([
    { name: 'NVIDIA H100 80GB HBM3', memoryMegabytes: 81559, driver: '570.133.20', computeCapability: '9.0' },
    { name: 'Tesla K80', memoryMegabytes: 11441, driver: '460.32.03', computeCapability: null },
  ])
  expect(parseNvidiaSmi('No devices were found')).toEqual([])
  expect(cpuFlags('processor\t: 0\nflags\t\t: fpu sse2 avx\nbugs\t: x')?.has('avx')).toBe(true)
  expect(cpuFlags('processor: 0\nFeatures: fp asimd')).toBeNull()
})
