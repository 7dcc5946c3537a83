/**
 * One set of trained tensors for each combination of present modalities (METHODS 2): which combinations have one, how the stages of
 * training follow each other, and who answers for a combination that was never trained.
 */
import type { Parameter, ParameterSet } from '../../compute/parameters.ts'
import { takeFloats } from '../../compute/tensorflow.ts'
import type { Phase } from '../method.ts'
import type { ModalitySpec, Serving } from '../network.ts'
import type { Choice } from './batch-view.ts'

export interface CombinationSettings {
  training: 'two-stage' | 'joint'
  baseShare: number
  trainHead: boolean
  untrained: 'base' | 'refuse'
}

/** Name of a combination in tensor names and progress: its modalities joined by "+". */
export function combinationName(presence: number, modalities: readonly ModalitySpec[]): string {
  return modalities.filter((_, m) => (presence >> m) & 1).map(({ name }) => name).join('+')
}

/** The combinations that have a set, as presence bits. In two stages the complete one has none: it is what the base was trained on. */
export function combinationsOf(modalities: readonly ModalitySpec[], training: CombinationSettings['training']): number[] {
  const complete = (1 << modalities.length) - 1
  return Array.from({ length: complete }, (_, i) => i + 1).filter((presence) => training === 'joint' || presence !== complete)
}

/** Adds one tensor for each combination, all with the same shape; `initial` is called for each in turn. */
export function addForCombinations(
  parameters: ParameterSet, modalities: readonly ModalitySpec[], combinations: readonly number[], name: string, shape: number[], initial: () => Float32Array,
): Choice {
  return new Map(combinations.map((presence) => {
    const parameter = parameters.add(`${combinationName(presence, modalities)}/${name}`, initial(), shape, 'adapter')
    parameter.byPattern = true
    return [presence, parameter]
  }))
}

/** The base on complete patients, then one combination after the other; null, one phase over everything, when trained jointly. */
export function combinationPhases(settings: CombinationSettings, modalities: readonly ModalitySpec[]): Phase[] | null {
  if (settings.training === 'joint') return null
  const combinations = combinationsOf(modalities, 'two-stage')
  const base: Phase = { name: 'base on complete patients', shows: (1 << modalities.length) - 1, trains: ({ group }) => group !== 'adapter', isBase: true, epochsShare: combinations.length === 0 ? 1 : settings.baseShare }
  return [base, ...combinations.map((presence): Phase => {
    const name = combinationName(presence, modalities)
    return {
      name: `${name} only`, shows: presence, epochsShare: (1 - settings.baseShare) / combinations.length,
      trains: (parameter) => parameter.name.startsWith(`${name}/`) || (settings.trainHead && parameter.group === 'head'),
    }
  })]
}

/**
 * Whose weights answer for a pattern. A set that still holds its initial values was never trained and does nothing, so the base answers;
 * reading it off the values keeps it true after saving, loading and resuming. `neutral` are the tensors of a set that a first step moves,
 * with the value they start from (gamma 1; beta and LoRA's B 0). In checkpoints of 0.1 weight decay has reached untrained gammas too, all
 * numbers of one alike: only numbers that differ, or that left 0, were trained.
 */
export function createServing(settings: CombinationSettings, combinations: readonly number[], neutral: readonly { choice: Choice; start: number }[]): (presence: number) => Serving {
  const known = new WeakMap<Parameter['value'], boolean>()
  const hasMoved = (parameter: Parameter | undefined, start: number): boolean => {
    if (parameter === undefined) return false
    let moved = known.get(parameter.value)
    if (moved === undefined) {
      const values = takeFloats(parameter.value.clone())
      moved = values.some((value) => value !== values[0]) || (start === 0 && values[0] !== 0)
      known.set(parameter.value, moved)
    }
    return moved
  }
  return (presence) => {
    // Without a set of its own a combination is what the base was trained on.
    if (!combinations.includes(presence)) return 'trained'
    const isTrained = neutral.some(({ choice, start }) => hasMoved('name' in choice ? choice : choice.get(presence), start))
    if (isTrained) return 'trained'
    return settings.untrained === 'base' ? 'base' : 'refused'
  }
}
