// The generator lives with the compute code because backbones draw from it too; training code finds it under its own folder.
export { createRng, type Rng } from '../compute/rng.ts'
