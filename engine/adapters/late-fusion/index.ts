/**
 * Late fusion of uni-modal models with missing-modality augmentation: UME-MMA, Li et al. 2023 (arXiv:2310.06383).
 * Phase 1 (section 4.1): each modality's encoder with a head of its own is trained on that modality alone. Phase 2 (section 4.2): the
 * encoders join, and the whole is trained on with modalities dropped at random, a substitute in their place; the chance p is the run's
 * modality dropout. `concat`: one linear head over the joined features, started as the mean of the uni-modal heads, so that phase 2 begins
 * with the uni-modal ensemble; `logit-sum`: the uni-modal heads' logits are added.
 * Where we differ: the paper fine-tunes whole image and audio networks. Here the encoders are trained projections of frozen features (MiniLM's
 * sentence vector, ResNet-50's grid average, or whatever the backbone describes a part by), which is what a few hundred patients can pay for.
 * Several images of one modality are averaged before the projection.
 */
import { lateFusionSettingsSchema, type LateFusionSettings } from '../../domain/method-settings.ts'
import type { Method, Phase } from '../method.ts'
import { createLateFusionNetwork } from './network.ts'

export const lateFusion: Method<LateFusionSettings> = {
  id: 'late-fusion',
  configSchema: lateFusionSettingsSchema,
  startsUnchanged: false,
  createNetwork: createLateFusionNetwork,
  phases: (settings, modalities): Phase[] => [
    ...modalities.map(({ name }, m): Phase => ({
      name: `${name} alone`, shows: 1 << m, epochsShare: settings.unimodalShare,
      trains: (parameter) => parameter.name.startsWith(`encoder.${name}.`) || parameter.name.startsWith(`unimodal.${name}.`),
    })),
    {
      name: 'fusion', shows: 'own-pattern', epochsShare: 1,
      // Heads of the way not chosen play no part in the logits any more.
      trains: (parameter) => settings.head === 'logit-sum' || !parameter.name.startsWith('unimodal.'),
    },
  ],
}
