import type { Rng } from '../training/rng.ts'
import { blendSpot, blur, clamp, createRaster, smoothNoise, smoothStep } from './raster.ts'
import type { Colour, Raster } from './raster.ts'
import { drawVessels } from './vessels.ts'

/** Width and height of every demo picture in pixels. */
export const fundusSize = 256

/** What one eye shows. The four signs run from 0 (none) to 1 (as strong as drawn); resources/demo/README.md says where they come from. */
export interface FundusTraits {
  side: 'right' | 'left'
  /** Diameter of the cup as a share of the disc. */
  cup: number
  /** Pale yellow spots around the macula. */
  paleSpots: number
  /** Dark red blots along the vessels. */
  redBlots: number
  /** Blur and a whitish veil over the whole picture. */
  veil: number
  /** Fair (1) to deeply pigmented (0) fundus; says nothing about the signs. */
  fairness: number
  /** The older camera's film is warm and its rim dark: a colour cast, beside the exaggeration that the signs carry already. */
  isOlderCamera: boolean
}

const discRadius = 25
const fieldRadius = 121

/**
 * Draws a fundus-like colour picture. The optic disc lies nasally: right of the middle in a right eye, left of it in a left eye.
 * `anatomy` gives what both eyes of a patient share in kind, `exposure` what differs between two shots.
 * @returns RGB bytes, [256, 256, 3] row by row.
 */
export function drawFundus(traits: FundusTraits, anatomy: Rng, exposure: Rng): Uint8Array {
  const raster = createRaster(fundusSize)
  const nasal = traits.side === 'right' ? 1 : -1
  const middle = fundusSize / 2
  const discX = middle + nasal * (62 + 2.4 * anatomy.normal())
  const discY = middle - 4 + 2.4 * anatomy.normal()
  const maculaX = discX - nasal * 78
  const maculaY = discY + 9
  paintBackground(raster, traits.fairness, anatomy)
  blendSpot(raster, { x: maculaX, y: maculaY, radiusX: 30, radiusY: 26, angle: 0, softness: 1, opacity: 0.5 }, [96, 38, 18])
  paintDisc(raster, traits.cup, discX, discY, -nasal, anatomy)
  paintVessels(raster, anatomy, discX, discY, -nasal)
  paintCupGloss(raster, traits.cup, discX, discY)
  paintPaleSpots(raster, traits.paleSpots, maculaX, maculaY, exposure)
  paintRedBlots(raster, traits.redBlots, discX, discY, exposure)
  blur(raster, 0.35 + 3.4 * traits.veil)
  return expose(raster, traits, exposure)
}

function paintBackground(raster: Raster, fairness: number, random: Rng): void {
  const { size, pixels } = raster
  const coarse = smoothNoise(random, size, 5)
  const fine = smoothNoise(random, size, 34)
  const base: Colour = [150 + 58 * fairness, 62 + 54 * fairness, 26 + 44 * fairness]
  for (let i = 0; i < size * size; i++) {
    const gain = 1 + 0.06 * coarse[i]! + 0.035 * fine[i]!
    pixels[i * 3] = base[0] * gain
    pixels[i * 3 + 1] = base[1] * (gain + 0.05 * coarse[i]!)
    pixels[i * 3 + 2] = base[2] * gain
  }
}

function paintDisc(raster: Raster, cup: number, x: number, y: number, towardMacula: number, random: Rng): void {
  const angle = random.normal() * 0.2
  const at = (radius: number): { x: number; y: number; radiusX: number; radiusY: number; angle: number } => ({ x, y, radiusX: radius * 0.93, radiusY: radius, angle })
  blendSpot(raster, { ...at(discRadius * 2), softness: 1, opacity: 0.28 }, [236, 168, 104])
  // A pale crescent beside the disc goes with a large cup in real eyes too.
  blendSpot(raster, { ...at(discRadius * (1.05 + 0.75 * cup)), x: x + towardMacula * 7 * cup, softness: 0.75, opacity: clamp(1.6 * (cup - 0.35), 0, 0.85) }, [240, 204, 154])
  blendSpot(raster, { ...at(discRadius), softness: 0.16, opacity: 0.96 }, [240, 158, 92])
  blendSpot(raster, { ...at(discRadius * (0.16 + 0.78 * cup)), softness: 0.26, opacity: 0.97 }, [252, 238, 196])
}

/** Vessels fade where they dive into the cup, which is also what tells a deep cup from a pale disc. */
function paintCupGloss(raster: Raster, cup: number, x: number, y: number): void {
  const radius = discRadius * (0.14 + 0.7 * cup)
  blendSpot(raster, { x, y, radiusX: radius * 0.93, radiusY: radius, angle: 0, softness: 0.3, opacity: 0.72 }, [254, 243, 208])
}

function paintVessels(raster: Raster, random: Rng, discX: number, discY: number, towardMacula: number): void {
  const { size, pixels } = raster
  const { arteries, veins } = drawVessels(random, size, discX, discY, towardMacula)
  for (let i = 0; i < size * size; i++) {
    const artery = 0.42 * arteries[i]!
    const vein = 0.6 * veins[i]!
    if (artery === 0 && vein === 0) continue
    const dark = Math.max(artery, vein)
    pixels[i * 3]! *= 1 - 0.5 * dark
    pixels[i * 3 + 1]! *= 1 - dark
    pixels[i * 3 + 2]! *= 1 - 0.9 * dark
  }
}

function paintPaleSpots(raster: Raster, strength: number, x: number, y: number, random: Rng): void {
  const count = Math.round(30 * strength)
  for (let i = 0; i < count; i++) {
    const angle = random.uniform() * 2 * Math.PI
    const distance = 6 + 62 * Math.sqrt(random.uniform())
    const radius = 2.6 + 3.2 * random.uniform() * (0.5 + strength)
    const spot = { x: x + Math.cos(angle) * distance, y: y + Math.sin(angle) * distance * 0.9, radiusX: radius, radiusY: radius * (0.7 + 0.3 * random.uniform()), angle, softness: 0.5, opacity: 0.9 }
    blendSpot(raster, spot, [250, 222, 132])
    // A second lobe breaks the perfect ellipse.
    blendSpot(raster, { ...spot, x: spot.x + radius * 0.7 * random.normal(), y: spot.y + radius * 0.6 * random.normal(), radiusX: radius * 0.6, radiusY: radius * 0.6 }, [246, 214, 122])
  }
}

function paintRedBlots(raster: Raster, strength: number, discX: number, discY: number, random: Rng): void {
  const middle = raster.size / 2
  const count = Math.round(22 * strength)
  for (let i = 0; i < count; i++) {
    const angle = random.uniform() * 2 * Math.PI
    const distance = 28 + 76 * Math.sqrt(random.uniform())
    const isFlame = random.uniform() < 0.35
    const radius = 3.4 + 4.4 * random.uniform() * (0.5 + strength)
    const x = middle + Math.cos(angle) * distance
    const y = middle + Math.sin(angle) * distance
    // A blot on the disc would hide how large its cup is.
    if (Math.hypot(x - discX, y - discY) < discRadius * 1.5) continue
    const spot = { x, y, radiusX: isFlame ? radius * 1.7 : radius, radiusY: isFlame ? radius * 0.6 : radius * 0.85, angle: angle + random.normal() * 0.4, softness: 0.45, opacity: 0.86 }
    blendSpot(raster, spot, [88, 14, 12])
    blendSpot(raster, { ...spot, x: spot.x + radius * 0.7 * random.normal(), y: spot.y + radius * 0.7 * random.normal(), radiusX: radius * 0.6, radiusY: radius * 0.55 }, [96, 16, 14])
  }
}

/** Factor for red, green and blue, and how much light the rim loses. */
const cameras: Readonly<Record<'older' | 'newer', { cast: Colour; rimLoss: number }>> = {
  older: { cast: [1.05, 0.96, 0.78], rimLoss: 0.52 },
  newer: { cast: [1, 1, 1], rimLoss: 0.4 },
}

/** Light falls off to the rim, leans to one side a little, and the sensor adds its grain; outside the field it is black. */
function expose(raster: Raster, { veil, isOlderCamera }: FundusTraits, random: Rng): Uint8Array {
  const { size, pixels } = raster
  const bytes = new Uint8Array(size * size * 3)
  const middle = size / 2
  const gain = 1 + 0.06 * random.normal()
  const lean = 0.07 * random.normal()
  const leanAngle = random.uniform() * 2 * Math.PI
  const leanX = Math.cos(leanAngle) * lean / fieldRadius
  const leanY = Math.sin(leanAngle) * lean / fieldRadius
  const milk: Colour = [186, 166, 132]
  const veilStrength = 0.62 * veil
  const { cast, rimLoss } = cameras[isOlderCamera ? 'older' : 'newer']
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const dx = x - middle + 0.5
      const dy = y - middle + 0.5
      const distance = Math.sqrt(dx * dx + dy * dy)
      const field = 1 - smoothStep(fieldRadius - 1.5, fieldRadius + 1, distance)
      if (field === 0) continue
      const relative = distance / fieldRadius
      const light = gain * (1.06 - rimLoss * relative * relative * relative) * (1 + leanX * dx + leanY * dy)
      // One draw for the three channels and a sum of uniforms: grain is mostly of brightness, and this is the hottest line.
      const grain = (random.uniform() + random.uniform() - 1) * 7
      const at = (y * size + x) * 3
      for (let channel = 0; channel < 3; channel++) {
        const value = pixels[at + channel]!
        const seen = value + (milk[channel]! - value) * veilStrength
        bytes[at + channel] = Math.round(clamp((seen * light * cast[channel]! + grain) * field, 0, 255))
      }
    }
  }
  return bytes
}
