import { z } from 'zod'

/** Which frame of a file that holds several is the image; a number counts from 1, as viewers do. */
export const frameChoiceSchema = z.union([z.enum(['first', 'middle', 'last']), z.number().int().min(1).max(100_000)])
export type FrameChoice = z.infer<typeof frameChoiceSchema>

/**
 * The frame that a choice means in one file, counted from 0; null when the file ends before it. Never the nearest one instead: a cohort would hold
 * other moments of a recording, or other slices of a volume, than its mapping says. The middle of an even number is the later of the two.
 */
export function frameIndex(choice: FrameChoice, frameCount: number): number | null {
  if (choice === 'first') return 0
  if (choice === 'middle') return Math.floor(frameCount / 2)
  if (choice === 'last') return frameCount - 1
  return choice <= frameCount ? choice - 1 : null
}

/** The choice in words, as they stand in a sentence: "frame 7", "the middle frame". */
export function frameWords(choice: FrameChoice): string {
  return typeof choice === 'number' ? `frame ${choice}` : `the ${choice} frame`
}
