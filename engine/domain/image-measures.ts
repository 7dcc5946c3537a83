import { z } from 'zod'

/** Edge of the small grey picture that is kept of every image, in cells. */
export const thumbnailEdge = 32
/** Edge of the coarse grid whose outer ring describes an image's border, and the number of cells in that ring. */
export const borderEdge = 8
export const borderCells = 4 * (borderEdge - 1)

/**
 * What is measured of an image while it is decoded for the import. It describes the file's content, so equal files have equal measures,
 * whichever cohort holds them. Luminance is 0.299 R + 0.587 G + 0.114 B of the pixels that training sees, 0..255.
 */
export const imageMeasuresSchema = z.object({
  widthPx: z.number().int().positive(),
  heightPx: z.number().int().positive(),
  byteSize: z.number().int().nonnegative(),
  format: z.enum(['jpeg', 'png', 'gif', 'webp', 'tiff', 'dicom']),
  /** 1 when red, green and blue are equal in every pixel looked at, else 3. */
  channels: z.union([z.literal(1), z.literal(3)]),
  meanLuminance: z.number().min(0).max(255),
  sdLuminance: z.number().min(0).max(255),
  /** 64 bits as 16 hexadecimal digits, see engine/fingerprint/perceptual-hash.ts. */
  perceptualHash: z.string().regex(/^[0-9a-f]{16}$/),
  /** Mean luminance of the 28 outer cells of an 8 x 8 grid, clockwise from the top left corner. */
  border: z.instanceof(Float32Array),
  /** The image as 32 x 32 grey cells, row by row; too coarse for any writing in it to be read. */
  thumbnail: z.instanceof(Uint8Array),
})
export type ImageMeasures = z.infer<typeof imageMeasuresSchema>
