import { describe, expect, it } from 'vitest'
import { runOnThread } from '../../../../engine/importers/dicom/decode-pool.ts'
import { decodeImage } from '../../../../engine/modalities/image-decode.ts'
import { encode, imageElements, makeValues, syntaxes, writeDicom } from './make-dicom.ts'

const shape = { rows: 13, columns: 17, bits: 16 }

const wrap = (frame: Uint8Array): Buffer => writeDicom(imageElements(shape), { table: [0], fragments: [frame] }, { syntax: syntaxes.highThroughput })
/** A synthetic frame with two bytes changed, on which the codec runs in circles (found by the fuzz run). */
const endless = Buffer.from([
  '/0//UQApQAAAAAARAAAADQAAAAAAAAAAAAAAEQAAAA0AAAAAAAAAAAABDwEB/1AACAACAAAACf9SAAwAAAABAAEEBEAB/1wAByCIiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4xOC4yLv9VABAAYAAAAA',
  'AApQAAAAAAof+QAAoAAAAAAKUAAv+TwAAvpIC/86r34fNw9gT6Fl1Pni7Pin/HheFWcWI4VfwqPh7fk6PL++//dx/tfe4/9Ui7CZ2/vjXPrNfLwer1crA62PyyXkL3r+/f/2834GvjOfCj+RQ8kz4G',
  'T6ynwQPsbfABexk8sR4Fz6T3vxfMo+sf+Mf5Uv1T/W/+B/4KBf77+59/16/WX3/r1+suoH0IAMZCADG6Af+QAAoAAP///38BAv+TwAAu1gABdpAAC3x4sCsKAAGu6AAgjwjQAAooACCNRNRxIhk1zF',
  'pGPxIR26idt/4P32+50D7wUQBokq1SwysxAYZOlcAQ7HybwQEd4DEiRBlLPBLOI8MQ0wa93VNiSSfGV3IWZICCmWru4QVgB/k1AUBkcgH5GkABAhDSYczynxIBAgT5YW9/KLpZ5MZdU2mjuz8A/9kA',
].join(''), 'base64')

describe('threads that decode', () => {
  it('end what does not end by itself, by processor time, and go on with the next file', async () => {
    const good = wrap(await encode('encodeHtJpeg2000', makeValues(shape), shape, { lossy: false }))
    const before = process.cpuUsage()
    await expect(decodeImage(wrap(endless))).rejects.toMatchObject({ code: 'DICOM_FRAME_DAMAGED', message: expect.stringContaining('1.2 seconds of processor time') })
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(4000)
    await expect(decodeImage(good)).resolves.toMatchObject({ width: 17, height: 13 })
    await expect(runOnThread({ kind: 'describe', bytes: wrap(endless), frame: 0 })).rejects.toMatchObject({ code: 'DICOM_FRAME_DAMAGED' })
    await expect(runOnThread({ kind: 'describe', bytes: good, frame: 0 })).resolves.toMatchObject({ facts: { frameCount: 1 }, isInverted: false })
  })
})
