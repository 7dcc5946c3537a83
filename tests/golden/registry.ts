/** Which reference folders exist at all and which of them are judged here; adding one is a line in `items`. */
import { bertItem } from './items/bert.ts'
import { clipItem } from './items/clip.ts'
import { dicomItem } from './items/dicom.ts'
import { fullTrainingItem } from './items/full-training.ts'
import { imageItem } from './items/image.ts'
import { loraTrainingItem } from './items/lora-training.ts'
import { mapTrainingItem } from './items/map-training.ts'
import { metricsItem } from './items/metrics.ts'
import { minilmItem } from './items/minilm.ts'
import { moraTrainingItem } from './items/mora-training.ts'
import { moraVariantsItem } from './items/mora-variants.ts'
import { ssfTrainingItem } from './items/ssf-training.ts'
import { trainingCommonItem } from './items/training-common.ts'
import { viltItem } from './items/vilt.ts'
import { vitItem } from './items/vit.ts'
import { tokenizerItem } from './items/tokenizer.ts'
import type { GoldenItem } from './report.ts'

export const knownItems = [
  'vilt', 'bert', 'vit', 'clip', 'tokenizer', 'image', 'metrics', 'dicom',
  'mora_training', 'ssf_training', 'lora_training', 'map_training', 'full_training', 'mora_variants', 'training_common', 'minilm',
] as const

export const items: readonly GoldenItem[] = [
  metricsItem,
  tokenizerItem,
  imageItem,
  dicomItem,
  bertItem,
  viltItem,
  vitItem,
  clipItem,
  trainingCommonItem,
  moraTrainingItem,
  ssfTrainingItem,
  loraTrainingItem,
  mapTrainingItem,
  fullTrainingItem,
  moraVariantsItem,
  minilmItem,
]
