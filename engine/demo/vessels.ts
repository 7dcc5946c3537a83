import type { RandomSource } from '../compute/random-source.ts'
import { clamp, stampSpot } from './raster.ts'

/** Where a vessel starts and how it runs; angles in radians, y grows downwards. */
interface Course {
  x: number
  y: number
  heading: number
  /** The heading it bends towards: arcades leave the disc steeply and then curve around the macula. */
  goal: number
  /** Turn (+1 or -1) that leads away from the macula, where most branches go; 0 for either. */
  outerSide: number
  /** Half width in pixels. */
  width: number
  /** Pixels still to go. */
  length: number
  /** How many more times it may branch. */
  branchesLeft: number
}

/** Darkness 0..1 of each pixel, [size, size]: arteries are drawn paler than veins. */
export interface VesselLayers {
  arteries: Float32Array
  veins: Float32Array
}

/**
 * Draws the four vessel arcades that leave the optic disc.
 * `towardMacula` is +1 when the macula lies to the right of the disc, -1 when to the left.
 */
export function drawVessels(random: RandomSource, size: number, discX: number, discY: number, towardMacula: number): VesselLayers {
  const layers = { arteries: new Float32Array(size * size), veins: new Float32Array(size * size) }
  for (const layer of [layers.arteries, layers.veins]) {
    const width = layer === layers.veins ? 1.7 : 1.2
    const shift = layer === layers.veins ? 0.14 : -0.14
    for (const vertical of [-1, 1]) {
      const up = vertical * Math.PI / 2
      const outward = towardMacula > 0 ? 0 : Math.PI
      // The temporal arcade sweeps round the macula; the nasal one runs straight off and is thinner.
      runVessel(random, size, layer, {
        x: discX, y: discY, heading: up - towardMacula * vertical * (0.12 + shift), goal: nearAngle(outward - towardMacula * vertical * 0.1, up),
        outerSide: -towardMacula * vertical,
        width: width * (1 + 0.05 * random.normal()), length: size * 0.78, branchesLeft: 5,
      })
      runVessel(random, size, layer, {
        x: discX, y: discY, heading: up - towardMacula * vertical * (0.75 + shift), goal: nearAngle(Math.PI - outward, up), outerSide: 0,
        width: width * 0.72, length: size * 0.4, branchesLeft: 2,
      })
    }
  }
  return layers
}

/** The same direction as `angle`, written so that it lies within half a turn of `reference`. */
function nearAngle(angle: number, reference: number): number {
  let near = angle
  while (near - reference > Math.PI) near -= 2 * Math.PI
  while (near - reference < -Math.PI) near += 2 * Math.PI
  return near
}

function runVessel(random: RandomSource, size: number, layer: Float32Array, course: Course): void {
  let { x, y, heading, branchesLeft } = course
  const step = 1.1
  const stepCount = Math.floor(course.length / step)
    let drift = 0
  let nextBranch = 14 + Math.floor(random.uniform() * 16)
  for (let i = 0; i < stepCount; i++) {
    const left = 1 - i / stepCount
    const width = clamp(course.width * (0.35 + 0.65 * left), 0.45, 4)
    const opacity = clamp(0.45 + 0.35 * width, 0, 1)
    stampSpot(layer, size, { x, y, radiusX: width + 0.8, radiusY: width + 0.8, angle: 0, softness: 0.75, opacity })
    drift = drift * 0.9 + random.normal() * 0.013
    heading += (course.goal - heading) * 0.0125 + drift
    x += Math.cos(heading) * step
    y += Math.sin(heading) * step
    if (i === nextBranch && branchesLeft > 0) {
      branchesLeft--
      nextBranch += 18 + Math.floor(random.uniform() * 22)
      const side = course.outerSide !== 0 && random.uniform() < 0.72 ? course.outerSide : random.uniform() < 0.5 ? -1 : 1
      const branchHeading = heading + side * (0.45 + random.uniform() * 0.4)
      runVessel(random, size, layer, {
        x, y, heading: branchHeading, goal: branchHeading - side * 0.35 + random.normal() * 0.3, outerSide: 0,
        width: width * 0.68, length: course.length * left * (0.4 + 0.3 * random.uniform()), branchesLeft: Math.min(branchesLeft, 2),
      })
    }
  }
}
