import { z } from 'zod'

/** Frozen models: the embedded one and those that the user imported. */

export const embeddedBackboneId = 'mmbt-minilm-resnet50'

/** The families that can be read. */
export const backboneArchitectureSchema = z.enum(['mmbt', 'vilt', 'bert', 'vit', 'deit', 'clip'])
export type BackboneArchitecture = z.infer<typeof backboneArchitectureSchema>

/** What one forward pass reads: `joint` text and images in one sequence, `pair` each on its own in two towers, `text` or `image` alone. */
export const backboneReadsSchema = z.enum(['joint', 'pair', 'text', 'image'])
export type BackboneReads = z.infer<typeof backboneReadsSchema>

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/)

/** One kept file; `name` is plain, without folders. */
export const backboneFileRecordSchema = z.object({ name: z.string().regex(/^[^/\\]{1,200}$/), byteSize: z.number().int().nonnegative(), sha256: sha256Schema })
export type BackboneFileRecord = z.infer<typeof backboneFileRecordSchema>

/** One tensor of the weights, for the parameter table; `isUsed` is false for heads that Lacuna leaves out. */
export const backboneTensorSchema = z.object({ name: z.string(), storedType: z.string(), shape: z.array(z.number().int().nonnegative()), count: z.number().int().nonnegative(), isUsed: z.boolean() })
export type BackboneTensor = z.infer<typeof backboneTensorSchema>

/** In pixels: one side of a square, or height and width. */
const pixelSidesSchema = z.union([z.number().int(), z.tuple([z.number().int(), z.number().int()])])
export type PixelSides = z.infer<typeof pixelSidesSchema>

/** Height and width. */
export const bothSides = (sides: PixelSides): [height: number, width: number] => (typeof sides === 'number' ? [sides, sides] : sides)

/** As people write it: 224, or width x height. */
export function sidesText(sides: PixelSides): string {
  const [height, width] = bothSides(sides)
  return height === width ? String(height) : `${width} x ${height}`
}

/** Sizes worth showing; null where a family has none. */
export const backboneSizesSchema = z.object({
  width: z.number().int(),
  blocks: z.number().int(),
  heads: z.number().int(),
  imageSize: pixelSidesSchema.nullable(),
  patchSize: pixelSidesSchema.nullable(),
  textPositions: z.number().int().nullable(),
  vocabulary: z.number().int().nullable(),
})
export type BackboneSizes = z.infer<typeof backboneSizesSchema>

/** What an import finds out about a model and keeps with it. */
export const importedBackboneSchema = z.object({
  backboneId: z.string(),
  architecture: backboneArchitectureSchema,
  reads: backboneReadsSchema,
  sizes: backboneSizesSchema,
  parameterCount: z.number().int(),
  /** SHA-256 over names and hashes of all files: what a run records as its weights. */
  contentHash: sha256Schema,
  files: z.array(backboneFileRecordSchema).min(1),
  tensors: z.array(backboneTensorSchema),
  /** As the model card says; empty when it says nothing. */
  licence: z.string(),
  source: z.string(),
  /** What was assumed because the folder did not say it. */
  notes: z.array(z.string()),
})
export type ImportedBackbone = z.infer<typeof importedBackboneSchema>

/** The fields a user may write. */
export const backboneDetailsSchema = z.object({
  name: z.string().trim().min(1).max(120),
  licence: z.string().trim().max(300),
  source: z.string().trim().max(1000),
})
export type BackboneDetails = z.infer<typeof backboneDetailsSchema>

/** An imported backbone as the store keeps it. A removed one stays as a record, because runs name it. */
export const backboneRecordSchema = importedBackboneSchema.omit({ tensors: true }).extend({
  ...backboneDetailsSchema.shape,
  tensorCount: z.number().int(),
  addedAt: z.string(),
  removedAt: z.string().nullable(),
})
export type BackboneRecord = z.infer<typeof backboneRecordSchema>

/** What is wrong with the files on disk, found by hashing them now. */
export const backboneCheckSchema = z.object({
  backboneId: z.string(),
  isIntact: z.boolean(),
  files: z.array(z.object({ name: z.string(), state: z.enum(['intact', 'missing', 'cut-short', 'changed']), detail: z.string() })),
})
export type BackboneCheck = z.infer<typeof backboneCheckSchema>

export const backboneAddRequestSchema = z.object({
  /** Folder, or a single weights file. */
  from: z.string().min(1),
  name: z.string().trim().max(120).default(''),
  licence: backboneDetailsSchema.shape.licence.default(''),
  source: backboneDetailsSchema.shape.source.default(''),
})
export type BackboneAddRequest = z.infer<typeof backboneAddRequestSchema>

/** Where the engine finds an imported backbone and which bytes it must hold there. */
export const backboneLocationSchema = z.object({
  backboneId: z.string(),
  name: z.string(),
  dir: z.string(),
  contentHash: sha256Schema,
  files: z.array(backboneFileRecordSchema).min(1),
})
export type BackboneLocation = z.infer<typeof backboneLocationSchema>

/** Methods that work on the features of each encoder apart; the others are placed inside the blocks that text and images share. */
export const methodsOnSeparateEncoders: ReadonlySet<string> = new Set(['late-fusion', 'zero-fill', 'mean-fill', 'head-only', 'dedicated', 'missingness-only', 'text-only'])

/** The ids inside a run's backbone: one, or a text and an image encoder joined by "+" for late fusion. */
export function backboneIdsOf(backbone: string): string[] {
  return backbone.split('+')
}
