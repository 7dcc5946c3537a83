/** Turns the padded inputs of the ViLT references into unpadded samples. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { PixelPart, TextPart } from '../../../engine/backbones/backbone.ts'
import { tensorPrefixes } from '../../../engine/backbones/import/architecture.ts'
import { type ViltConfig, loadVilt, parseViltConfig } from '../../../engine/backbones/vilt.ts'
import { fileWeightSource } from '../../../engine/backbones/weight-source.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import type { Compute } from '../../../engine/compute/backend.ts'
import { type HostTensor, openGoldenWeights, rowOf } from './shared.ts'

export function openGoldenVilt(compute: Compute, folder: string): { backbone: Backbone; config: ViltConfig } {
  const config = parseViltConfig(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
  const file = openGoldenWeights(folder)
  try {
    return { backbone: loadVilt(compute, fileWeightSource(file, 'golden', tensorPrefixes.vilt), config), config }
  } finally {
    file.close()
  }
}

/** Which of the tokens up to the last valid one of sample `index` are valid: no tokeniser leaves gaps, but the reference allows them. */
export function validTokens(mask: HostTensor, index: number): boolean[] {
  const flags = Array.from(rowOf(mask, index), (flag) => flag === 1)
  return flags.slice(0, flags.lastIndexOf(true) + 1)
}

/** Token ids of sample `index` up to its last valid one. */
export function textPart(modality: number, index: number, ids: HostTensor, mask: HostTensor, types?: HostTensor): TextPart {
  const { length } = validTokens(mask, index)
  const cut = (tensor: HostTensor): Int32Array => Int32Array.from(rowOf(tensor, index).subarray(0, length))
  return { kind: 'text', modality, ids: cut(ids), ...(types === undefined ? {} : { typeIds: cut(types) }) }
}

/**
 * The valid rectangle of image `index` in whole patches, as the reference counts them: it reduces its pixel mask to the patch grid of the
 * canvas by nearest neighbour, then counts along the first column and the first row.
 */
export function pixelPart(modality: number, slot: number, index: number, pixels: HostTensor, mask: HostTensor, patch: number): PixelPart {
  const [, channels, canvasHeight, canvasWidth] = pixels.shape as [number, number, number, number]
  const valid = rowOf(mask, index)
  const countPatches = (length: number, isValid: (place: number) => boolean): number => {
    const patches = Math.floor(length / patch)
    return Array.from({ length: patches }, (_, i) => isValid(Math.floor((i * length) / patches))).filter(Boolean).length
  }
  const height = patch * countPatches(canvasHeight, (y) => valid[y * canvasWidth] === 1)
  const width = patch * countPatches(canvasWidth, (x) => valid[x] === 1)
  const source = rowOf(pixels, index)
  const cropped = new Float32Array(channels * height * width)
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      const from = (c * canvasHeight + y) * canvasWidth
      cropped.set(source.subarray(from, from + width), (c * height + y) * width)
    }
  }
  return { kind: 'pixels', modality, slot, pixels: cropped, height, width }
}
