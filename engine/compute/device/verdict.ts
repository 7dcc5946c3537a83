/**
 * Which backend computes, and the reason and remedy in words: pure functions of what was found, so that every machine can be tried on paper.
 * A backend that was passed over is always named with its cause. A backend that the user chose is never replaced by another one.
 */
import { AppError } from '../../domain/errors.ts'
import type { DeviceFacts, NvidiaCard, Trial } from './facts.ts'

const backendKinds = ['cuda', 'webgpu', 'cpu', 'wasm'] as const
export type BackendKind = (typeof backendKinds)[number]
export type BackendChoice = 'auto' | BackendKind

/** Which device computes and why, in words a clinician can act on; shown on the first screen and stored with every run. */
export interface DeviceVerdict {
  backend: BackendKind
  device: string
  /** One sentence. */
  reason: string
  /** One sentence, or null where nothing better is to be had. */
  remedy: string | null
}

/** Why a backend cannot be used (a clause that follows "because") and what would change that (a sentence). */
export interface Obstacle {
  cause: string
  remedy: string
}

export type Trials = Partial<Record<BackendKind, Trial>>

/** CUDA 12 runs from this driver on (NVIDIA, CUDA compatibility, minor version compatibility). */
const minimumDriver = '525.60.13'
/** The oldest cards that TensorFlow 2.21 is built for (Pascal). */
const minimumCapability = 6
/** Below this not even the default backbone with small batches fits beside the display. */
const minimumCardMegabytes = 3000
/** Who reads patients cannot do it; who installed it knows the command. */
const setupAgain = 'ask whoever installed Lacuna to set it up again ("npm run setup", with a connection to the package registries)'

/** Reads the choice of a setting or of LACUNA_BACKEND. Throws COMPUTE_CHOICE_FAILED for a word that is no backend: a typing error must not choose another device. */
export function choiceFrom(word: string | undefined): BackendChoice {
  if (word === undefined || word === '' || word === 'auto') return 'auto'
  const kind = backendKinds.find((known) => known === word.toLowerCase())
  if (kind === undefined) throw new AppError('COMPUTE_CHOICE_FAILED', `"${word}" is no compute backend; there are auto, ${backendKinds.join(', ')}.`)
  return kind
}

/** Backends in the order in which they are tried. */
export function candidates(choice: BackendChoice): readonly BackendKind[] {
  return choice === 'auto' ? backendKinds : [choice]
}

/** What speaks against a backend before it is loaded; null when it is worth trying. */
export function obstacleBefore(kind: BackendKind, facts: DeviceFacts, choice: BackendChoice): Obstacle | null {
  if (kind === 'cuda') return cudaObstacle(facts)
  if (kind === 'cpu') return processorObstacle(facts)
  if (kind === 'webgpu' && choice === 'auto' && facts.hasGraphicsDevice === false) {
    return { cause: 'the system shows no other graphics device', remedy: 'Install the driver of the graphics card, or use a workstation with one.' }
  }
  return null
}

function cudaObstacle(facts: DeviceFacts): Obstacle | null {
  const { nvidia, setup } = facts
  if (facts.platform !== 'linux' || facts.arch !== 'x64') {
    return { cause: `CUDA is used on 64-bit Linux only, and this is ${facts.platform}-${facts.arch}`, remedy: 'For CUDA use a Linux workstation with an NVIDIA card.' }
  }
  if (nvidia.failure !== null) {
    return { cause: `the NVIDIA driver does not answer (${nvidia.failure})`, remedy: `Reinstall the NVIDIA driver (${minimumDriver} or later), restart the machine, then ${setupAgain}.` }
  }
  if (nvidia.cards.length === 0) {
    return { cause: 'no NVIDIA graphics card was found (nvidia-smi does not run)', remedy: `For faster training use a workstation with an NVIDIA card and its driver, then ${setupAgain}.` }
  }
  const best = bestCard(nvidia.cards)
  if (compareVersions(best.driver, minimumDriver) < 0) {
    return { cause: `the NVIDIA driver ${best.driver} of the ${best.name} is too old for CUDA 12`, remedy: `Update the NVIDIA driver to ${minimumDriver} or later and restart the machine.` }
  }
  if (best.computeCapability !== null && Number.parseFloat(best.computeCapability) < minimumCapability) {
    return { cause: `the ${best.name} (compute capability ${best.computeCapability}) is older than TensorFlow supports`, remedy: `Use a card of compute capability ${minimumCapability}.0 or later (Pascal, 2016).` }
  }
  if (best.memoryMegabytes < minimumCardMegabytes) {
    return { cause: `the ${best.name} has only ${gigabytes(best.memoryMegabytes)} GB of memory`, remedy: `Use a card with at least ${gigabytes(minimumCardMegabytes)} GB.` }
  }
  if (setup.build === 'cpu' || setup.build === 'none') {
    return { cause: `the ${best.name} is there, but the CUDA libraries are not installed${detail(setup.reason)}`, remedy: `To use the card, ${setupAgain}.` }
  }
  return null
}

function processorObstacle(facts: DeviceFacts): Obstacle | null {
  // Loading TensorFlow on such a processor would kill the process, not throw.
  if (facts.processor.hasAvx === false) return { cause: `the processor (${facts.processor.name}) lacks the AVX instructions that TensorFlow needs`, remedy: 'Use a workstation whose processor has AVX (most since 2011).' }
  return facts.setup.build === 'none' ? { cause: `TensorFlow is not installed${detail(facts.setup.reason)}`, remedy: `To train about 50 times faster, ${setupAgain}.` } : null
}

/** What speaks against a backend, once it was tried where it was worth trying. */
function obstacleOf(kind: BackendKind, facts: DeviceFacts, choice: BackendChoice, trials: Trials): Obstacle | null {
  const before = obstacleBefore(kind, facts, choice)
  if (before !== null) return before
  const trial = trials[kind]
  if (trial === undefined || trial.works) return null
  const remedies: Record<BackendKind, string> = {
    cuda: `Update the NVIDIA driver, then ${setupAgain}.`,
    webgpu: 'Update the driver of the graphics device.',
    cpu: `To train about 50 times faster, ${setupAgain}.`,
    wasm: `Install Lacuna again, or ${setupAgain}.`,
  }
  const causes: Record<BackendKind, string> = {
    cuda: `TensorFlow cannot use the ${facts.nvidia.cards.length > 0 ? bestCard(facts.nvidia.cards).name : 'NVIDIA card'} (${[trial.failure, setupNote(facts)].filter(Boolean).join('; ')})`,
    webgpu: `WebGPU cannot be used (${trial.failure})`,
    cpu: `TensorFlow could not be loaded (${trial.failure})`,
    wasm: `WebAssembly could not be started (${trial.failure})`,
  }
  return { cause: causes[kind], remedy: remedies[kind] }
}

/** The verdict on a backend that works, with every better one that was passed over; null when none works. */
export function judge(facts: DeviceFacts, choice: BackendChoice, trials: Trials): { verdict: DeviceVerdict } | { refusal: string } {
  const passedOver: Obstacle[] = []
  for (const kind of candidates(choice)) {
    const obstacle = obstacleOf(kind, facts, choice, trials)
    const trial = trials[kind]
    if (obstacle === null && trial?.works) return { verdict: verdictOf(kind, facts, choice, trial, passedOver) }
    if (obstacle !== null) passedOver.push(obstacle)
  }
  const causes = passedOver.map(({ cause }) => cause).join(', and ')
  const lead = choice === 'auto' ? 'No compute backend can be used' : `The chosen backend "${choice}" cannot be used, and no other one is taken in its place`
  return { refusal: `${lead}: ${causes || 'it was not tried'}. ${passedOver[0]?.remedy ?? ''}`.trim() }
}

function verdictOf(kind: BackendKind, facts: DeviceFacts, choice: BackendChoice, trial: Extract<Trial, { works: true }>, passedOver: readonly Obstacle[]): DeviceVerdict {
  const means: Record<BackendKind, string> = {
    cuda: `TensorFlow${trial.version ? ` ${trial.version}` : ''} computes on the NVIDIA card with CUDA`,
    webgpu: 'WebGPU (Dawn) computes on the graphics device',
    cpu: `TensorFlow${trial.version ? ` ${trial.version}` : ''} computes on the processor`,
    wasm: 'WebAssembly computes on the processor, about 50 times slower than TensorFlow',
  }
  const notes: string[] = []
  if (choice !== 'auto') notes.push('it was chosen by setting')
  else if (passedOver.length > 0) notes.push(...passedOver.map(({ cause }) => cause))
  if (kind === 'cpu' && facts.processor.hasAvx2 === false) notes.push('the processor lacks AVX2, which makes it about half as fast')
  const reason = notes.length === 0 ? means[kind] : `${means[kind]}, because ${joinClauses(notes)}`
  // What is missing last is nearest at hand: a broken TensorFlow before a card that would have to be bought.
  const remedy = choice === 'auto' ? (kind === 'wasm' ? passedOver.at(-1) : passedOver[0])?.remedy ?? null : chosenRemedy(kind)
  return { backend: kind, device: trial.device, reason: `${reason}.`, remedy }
}

function chosenRemedy(kind: BackendKind): string | null {
  return kind === 'cuda' ? null : 'To let Lacuna choose the fastest device again, choose so on the page "This workstation" (or "npx lacuna device --use auto").'
}

/** Device, reason and remedy as the one sentence that command line and reports print. */
export function verdictSentence({ backend, device, reason, remedy }: Omit<DeviceVerdict, 'backend'> & { backend: string }): string {
  return `${backend.toUpperCase()} on ${device}: ${reason.replace(/\.$/, '')}${remedy === null ? '' : `; remedy: ${lowerFirst(remedy.replace(/\.$/, ''))}`}.`
}

/** The card with the most memory, which is the one TensorFlow is given. */
export function bestCard(cards: readonly NvidiaCard[]): NvidiaCard {
  return cards.reduce((best, card) => (card.memoryMegabytes > best.memoryMegabytes ? card : best))
}

/** Below 0 when a is the older version; parts compare as numbers. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number)) as [number[], number[]]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function detail(reason: string | null): string {
  return reason === null ? '' : ` (${reason.replace(/[.\s]+$/, '')})`
}

/** What the set-up found out about the card, where it says more than that there is one. */
function setupNote({ setup }: DeviceFacts): string | null {
  return /the CUDA build (found no usable GPU|failed) ?\(([^)]*)\)/.exec(setup.reason ?? '')?.[2] ?? null
}

function gigabytes(megabytes: number): string {
  return (megabytes / 1000).toFixed(1)
}

function joinClauses(clauses: readonly string[]): string {
  return clauses.length < 2 ? clauses.join('') : `${clauses.slice(0, -1).join(', ')} and ${clauses.at(-1)!}`
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text
}
