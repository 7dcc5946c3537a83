/**
 * Dedicated models: one trained pooler and classifier on the frozen backbone for each combination of modalities, each trained on every
 * sample that has at least its modalities, restricted to them; a sample is answered by the model of exactly what it has (METHODS 3 and 4;
 * the "dedicated network" that Reza et al. 2023, arXiv:2310.03986, section 4, compare with). What model S reaches is what X_S alone can give
 * with this backbone, so other methods' gap to it under a pattern is what they lose by being one model for all patterns.
 */
import { type DedicatedSettings, dedicatedSettingsSchema } from '../../domain/method-settings.ts'
import type { Method, Phase } from '../method.ts'
import type { ModalitySpec } from '../network.ts'
import { combinationName } from '../sites/combinations.ts'
import { createDedicatedNetwork } from './network.ts'
import { dedicatedCombinations } from './routing.ts'

export const dedicated: Method<DedicatedSettings> = {
  id: 'dedicated',
  configSchema: dedicatedSettingsSchema,
  startsUnchanged: false,
  createNetwork: createDedicatedNetwork,
  phases: (_settings, modalities: readonly ModalitySpec[]): Phase[] => dedicatedCombinations(modalities.length).map((presence) => {
    const name = combinationName(presence, modalities)
    return { name: `model for ${name}`, shows: presence, epochsShare: 1, trains: (parameter) => parameter.name.startsWith(`${name}/`) }
  }),
}
