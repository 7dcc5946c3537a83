/** Turns the padded inputs of the ViLT references into unpadded samples. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { PixelPart, TextPart } from '../../../engine/backbones/backbone.ts'
import { openSafetensors } from '../../../engine/backbones/safetensors.ts'
import { type ViltConfig, loadVilt, parseViltConfig } from '../../../engine/backbones/vilt.ts'
import { fileWeightSource } from '../../../engine/backbones/weight-source.ts'
import type { Backbone } from '../../../engine/backbones/backbone.ts'
import type { Compute } from '../../../engine/compute/backend.ts'
import { type HostTensor, rowOf } from './shared.ts'

export function openGoldenVilt(compute: Compute, folder: string): { backbone: Backbone; config: ViltConfig } {
  const config = parseViltConfig(JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')))
  const file = openSafetensors(path.join(folder, 'model.safetensors'))
  try {
    return { backbone: loadVilt(compute, fileWeightSource(file, 'golden'), config), config }
  } finally {
    file.close()
  }
}

/** Valid token ids of sample `index`. */
export function textPart(modality: number, index: number, ids: HostTensor, mask: HostTensor, types?: HostTensor): TextPart {
  const length = rowOf(mask, index).reduce((a, b) => a + b, 0)
  const cut = (tensor: HostTensor): Int32Array => Int32Array.from(rowOf(tensor, index).subarray(0, length))
  return { kind: 'text', modality, ids: cut(ids), ...(types === undefined ? {} : { typeIds: cut(types) }) }
}

/**
 * The valid rectangle of image `index`, grown to whole patches: the reference reduces its pixel mask to the patch grid by nearest
 * neighbour, so a patch counts when its top left pixel is valid.
 */
export function pixelPart(modality: number, slot: number, index: number, pixels: HostTensor, mask: HostTensor, patch: number): PixelPart {
  const [, channels, canvasHeight, canvasWidth] = pixels.shape as [number, number, number, number]
  const valid = rowOf(mask, index)
  let [height, width] = [0, 0]
  while (height < canvasHeight && valid[height * canvasWidth] === 1) height++
  while (width < canvasWidth && valid[width] === 1) width++
  height = Math.ceil(height / patch) * patch
  width = Math.ceil(width / patch) * patch
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
