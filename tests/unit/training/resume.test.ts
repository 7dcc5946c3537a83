import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { trainRun } from '../../../engine/training/run/train-run.ts'
import { base, folder, logitsOf, record, specFor, useTinyCohort } from './tiny-run.ts'

useTinyCohort()

describe('a run that was broken off', { timeout: 300_000 }, () => {
  it('ends with the numbers of an unbroken run when it was broken off after an epoch and resumed', async () => {
    const unbroken = record()
    await trainRun(specFor('unbroken'), unbroken.context)
    const broken = record({ abortAfterEpoch: 1 })
    await expect(trainRun(specFor('broken'), broken.context)).rejects.toThrow()
    expect(broken.recording.blocks).toHaveLength(0)
    const resumed = record()
    await trainRun(specFor('broken'), resumed.context)
    expect(resumed.recording.epochs.map((epoch) => epoch.epoch)).toEqual([2])
    expect(logitsOf(resumed.recording)).toEqual(logitsOf(unbroken.recording))
  })

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['empty', () => Buffer.alloc(0)],
    ['of zeros', (bytes: Buffer) => Buffer.alloc(bytes.length)],
  ])('trains anew, and says so, when the saved state is %s', async (kind, damage) => {
    const name = `damaged ${kind}`
    const unbroken = record()
    await trainRun(specFor(`${name} unbroken`), unbroken.context)
    await expect(trainRun(specFor(name), record({ abortAfterEpoch: 1 }).context)).rejects.toThrow()
    const file = join(folder, name, 'fold_0', 'resume.safetensors')
    writeFileSync(file, damage(readFileSync(file)))
    const resumed = record()
    const summary = await trainRun(specFor(name), resumed.context)
    expect(resumed.recording.epochs.map((epoch) => epoch.epoch)).toEqual([0, 1, 2])
    expect(logitsOf(resumed.recording)).toEqual(logitsOf(unbroken.recording))
    expect(summary.notes.filter((note) => note.includes('could not be read'))).toHaveLength(1)
  })

  it('counts the time and the notes of the sessions before a resume', async () => {
    const broken = record({ abortAfterEpoch: 1 })
    await expect(trainRun(specFor('metered'), broken.context)).rejects.toThrow()
    // An hour, and a note that this session would not make again, in the state that the broken session left.
    const file = join(folder, 'metered', 'fold_0', 'resume.safetensors')
    const bytes = readFileSync(file)
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0))
    const header = JSON.parse(bytes.subarray(8, headerEnd).toString('utf8')) as { __metadata__: { progress: string } }
    const progress = JSON.parse(header.__metadata__.progress) as { spent: { elapsedMs: number; peakBytes: number; notes: string[] } }
    expect(progress.spent.elapsedMs).toBeGreaterThan(0)
    progress.spent = { elapsedMs: 3_600_000 + progress.spent.elapsedMs, peakBytes: 9e15, notes: [...progress.spent.notes, 'Micro-batches of 2 after out-of-memory in epoch 1.'] }
    header.__metadata__.progress = JSON.stringify(progress)
    const json = Buffer.from(JSON.stringify(header))
    const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')])
    const size = Buffer.alloc(8)
    size.writeBigUInt64LE(BigInt(padded.length))
    writeFileSync(file, Buffer.concat([size, padded, bytes.subarray(headerEnd)]))
    const resumed = record()
    const summary = await trainRun(specFor('metered'), resumed.context)
    expect(resumed.recording.epochs.map((epoch) => epoch.epoch)).toEqual([2])
    expect(summary.elapsedMs).toBeGreaterThan(3_600_000)
    expect(summary.peakBytes).toBe(9e15)
    expect(summary.notes.filter((note) => note === 'Micro-batches of 2 after out-of-memory in epoch 1.')).toHaveLength(1)
    expect(new Set(summary.notes).size).toBe(summary.notes.length)
  })

  it.each([['late-fusion', 4], ['dedicated', 7], ['ssf', 2]] as const)('resumes %s inside a later phase to the numbers of an unbroken run', async (adapter, epoch) => {
    const config = { ...base.config, adapter }
    const unbroken = record()
    await trainRun(specFor(`${adapter}-unbroken`, { config }), unbroken.context)
    const broken = record({ abortAfterEpoch: epoch })
    await expect(trainRun(specFor(`${adapter}-broken`, { config }), broken.context)).rejects.toThrow()
    const resumed = record()
    await trainRun(specFor(`${adapter}-broken`, { config }), resumed.context)
    expect(resumed.recording.epochs[0]!.epoch).toBe(epoch + 1)
    expect([...broken.recording.epochs, ...resumed.recording.epochs]).toMatchObject(unbroken.recording.epochs.map(({ elapsedMs: _, ...rest }) => rest))
    expect(logitsOf(resumed.recording)).toEqual(logitsOf(unbroken.recording))
  })
})
