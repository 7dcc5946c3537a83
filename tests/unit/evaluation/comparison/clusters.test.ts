import { expect, it } from 'vitest'
import { designEffect } from '../../../../engine/evaluation/comparison/clusters.ts'

it('is the size where all have equally many studies, and nearer to the large ones where not', () => {
  expect([designEffect([1, 1, 1]), designEffect([3, 3]), designEffect([1, 3]), designEffect([])]).toEqual([1, 3, 2.5, 1])
})
