import { expect, it } from 'vitest'
import { createDrawQueue } from '../../../../../renderer/composables/run/draw-queue.ts'

function testQueue() {
  const frames: (() => void)[] = []
  const queue = createDrawQueue((next) => frames.push(next))
  const frame = (): void => frames.shift()?.()
  return { queue, frame, frames }
}

it('draws one plot for each frame, in the order they asked', () => {
  const { queue, frame } = testQueue()
  const drawn: string[] = []
  queue.add({}, () => drawn.push('loss'))
  queue.add({}, () => drawn.push('auroc'))
  expect(drawn).toEqual([])
  frame()
  expect(drawn).toEqual(['loss'])
  frame()
  expect(drawn).toEqual(['loss', 'auroc'])
})

it('draws a plot once when it changed several times before its turn', () => {
  const { queue, frame, frames } = testQueue()
  const key = {}
  const drawn: number[] = []
  for (const version of [1, 2, 3]) queue.add(key, () => drawn.push(version))
  while (frames.length > 0) frame()
  expect(drawn).toEqual([3])
})

it('forgets a plot that has gone, and goes on after one that fails', () => {
  const { queue, frame, frames } = testQueue()
  const drawn: string[] = []
  const takeBack = queue.add({}, () => drawn.push('gone'))
  queue.add({}, () => { throw new Error('cannot draw') })
  queue.add({}, () => drawn.push('last'))
  takeBack()
  expect(frame).toThrow('cannot draw')
  while (frames.length > 0) frame()
  expect(drawn).toEqual(['last'])
  queue.add({}, () => drawn.push('later'))
  frame()
  expect(drawn).toEqual(['last', 'later'])
})
